// What the machine says of itself: /proc, as swift-recon wants it.
#pragma once

#include <apus/json.h>

namespace apus::recon {

/// Load averages, tasks and the last process id.
Json load();
/// Every line of /proc/meminfo.
Json memory();
/// Every mounted file system: device and path.
Json mounts();
/// TCP sockets in use, orphaned, waiting, and the memory they take; those of v6.
Json sockets();

}  // namespace apus::recon
