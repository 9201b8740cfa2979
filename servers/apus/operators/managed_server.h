// A server as `apus init` sees it running: by its pid files.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "servers/apus/operators/init_servers.h"

namespace apus {

/// Who is asked to end how. Daemons know SIGTERM alone, and are sent that.
enum class Ending : std::uint8_t { kSoon, kGraceful, kSeamless };  ///< TERM, HUP, USR1

class ManagedServer {
 public:
  using Pids = std::map<int, std::string>;  ///< and the pid file of each

  /// `number` is of the conf that all of this is about; 0 for all. What is `verbose` tells which
  /// pid files are removed and which confs there are.
  ManagedServer(SwiftServer server, InitFolders folders, int number, bool verbose);

  [[nodiscard]] const SwiftServer& server() const { return server_; }
  [[nodiscard]] const std::string& name() const { return server_.name; }
  [[nodiscard]] std::string pid_file(const std::string& conf) const;
  [[nodiscard]] std::string conf_of(const std::string& pid_file) const;

  /// The confs to be run with; says on stdout when there are none, and when they are old ones.
  [[nodiscard]] std::vector<std::string> confs() const;

  /// Those that run. A pid file that holds no pid, or that of a process which is gone or has not
  /// the server's program in its command line, is removed: here and in what follows.
  [[nodiscard]] Pids running() const { return send(0); }

  /// Asks them to end: those that could be asked.
  [[nodiscard]] Pids stop(Ending ending) const { return send(signal_of(ending)); }
  /// Asks their children; a server starts others. Nobody waits for them.
  [[nodiscard]] Pids stop_children(Ending ending) const;

  /// One line for each that runs, or that none does, on stdout. False then.
  [[nodiscard]] bool tell_status() const;

 private:
  // The pid files with a pid of this server's in them.
  [[nodiscard]] Pids known() const;
  [[nodiscard]] Pids send(int signal) const;
  [[nodiscard]] bool signal_one(int pid, int signal, const std::string& pid_file) const;
  [[nodiscard]] int signal_of(Ending ending) const;
  [[nodiscard]] std::vector<std::string> numbered() const;
  void tell_found() const;

  SwiftServer server_;
  InitFolders folders_;
  int number_;
  bool verbose_;
};

}  // namespace apus
