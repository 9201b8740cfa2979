// jemalloc, which the executable is linked with.
#pragma once

namespace apus {

/// From now on a thread gives freed memory back to the system. Not inherited by a child of fork():
/// each process that serves calls it, once its priorities are taken and before it makes threads.
void give_memory_back();

}  // namespace apus
