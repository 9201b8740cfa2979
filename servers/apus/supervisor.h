// Keeps a worker serving: the listening sockets are the supervisor's, so that one worker can follow
// another without a gap.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace apus {

struct SuperviseRequest {
  std::vector<std::filesystem::path> confs;  ///< absolute
  std::vector<std::string> command_line;     ///< as this process was started: run again to reload
  bool as_swift = false;    ///< let go of the terminal once up; run as `user`, or as swift
  bool keep_stdio = false;  ///< although as_swift
  std::string pid_file{};   ///< empty = none
};

/// Checks the confs, binds, starts a worker, and follows Swift's signals until the end: TERM and
/// INT end within 15 s, HUP leaves at once while the worker serves the connections that it has,
/// USR1 checks the confs and renews this process under its pid, the old worker taking connections
/// until the new one does. A worker that dies is followed by another. Returns the exit status.
/// Called with one thread running.
int supervise(const SuperviseRequest& request);

}  // namespace apus
