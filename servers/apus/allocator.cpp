// How jemalloc keeps house in the executable that is linked with it.

// Read by jemalloc before main. A thread of its own gives freed memory back to the system after ten
// seconds, so a process that was busy once is small again. MALLOC_CONF in the environment goes
// before it.
extern "C" __attribute__((visibility("default"))) const char* malloc_conf;
const char* malloc_conf = "background_thread:true,dirty_decay_ms:10000,muzzy_decay_ms:0";
