#include "servers/apus/allocator.h"

#ifdef APUS_JEMALLOC
#include <jemalloc/jemalloc.h>
#endif

// Read by jemalloc before main; MALLOC_CONF in the environment goes before it. What was free for
// ten seconds goes back.
extern "C" __attribute__((visibility("default"))) const char* malloc_conf;
const char* malloc_conf = "dirty_decay_ms:10000,muzzy_decay_ms:0";

namespace apus {

void give_memory_back() {
#ifdef APUS_JEMALLOC
  bool on = true;
  // Where no thread can be made, allocations give back as they go.
  mallctl("background_thread", nullptr, nullptr, &on, sizeof on);
#endif
}

}  // namespace apus
