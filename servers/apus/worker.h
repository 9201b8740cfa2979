// The process that serves, below the supervisor.
#pragma once

#include <sys/types.h>

#include "servers/apus/served.h"
#include "servers/apus/supervisor.h"

namespace apus {

/// Forks. The child serves until told: TERM ends it within 10 s; HUP lets it serve the connections
/// that it has, for `stale_worker_timeout` at most or until a TERM. `words` is a pipe to read: one
/// byte once it serves (its end without one says that it failed), one once it has let go of the
/// sockets and no longer dies with this process.
pid_t start_worker(const SuperviseRequest& request, const ListeningSockets& sockets, int& words);

}  // namespace apus
