// What a server process does to itself: whose it is, what it lets go of, whom it tells.
#pragma once

#include <string>

namespace apus {

/// Becomes `user`, its groups included. Nothing to do when that is who runs already. Throws
/// std::runtime_error when there is no such user or this process may not become it.
void become_user(const std::string& user);

/// Points stdin, stdout and stderr at /dev/null: whoever waits for their end sees that we are up.
void release_stdio();

/// Tells systemd, when it started us, e.g. "READY=1".
void notify_systemd(const std::string& state);

/// Leads a session of its own, stands in "/", makes files that only we write.
void leave_terminal();

}  // namespace apus
