// The servers that one call of `apus init` is about, and what can be done with all of them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "servers/apus/operators/managed_server.h"

namespace apus {

class StartedServers;

struct InitOptions {
  std::string swift_dir = "/etc/swift";
  std::string run_dir = "/var/run/swift";
  std::string program_folder;  ///< where programs are looked for before PATH
  int number = 0;              ///< of the conf; 0 = all
  std::int64_t kill_wait = 15;
  bool verbose = false;
  bool no_wait = false;
  bool once = false;
  bool no_daemon = false;
  bool graceful = false;
  bool kill_after_timeout = false;
  std::optional<bool> strict{};  ///< when not given: where each server is named
};

/// The path of a program: in `folder`, or else in a folder of PATH; empty when in neither.
std::string find_program(const std::string& name, const std::string& folder);

/// Each verb gives true when all is as it wants it; what it finds and does is on stdout.
class InitManager {
 public:
  /// Servers whose program is nowhere are left out. Throws std::runtime_error when none is left.
  InitManager(const std::vector<std::string>& words, const InitOptions& options);

  bool status();
  bool start();
  bool stop();
  bool kill();  ///< as stop; it is no error when none runs
  bool restart();
  bool reload();
  bool reload_seamless();
  bool kill_child_pids();

 private:
  using Signalled = std::vector<std::pair<const ManagedServer*, ManagedServer::Pids>>;

  [[nodiscard]] Ending ending() const {
    return options_.graceful ? Ending::kGraceful : Ending::kSoon;
  }
  bool launch(const ManagedServer& server, StartedServers& started);
  [[nodiscard]] bool is_started(const ManagedServer& server,
                                const std::vector<std::string>& confs) const;
  // Takes out those that have ended, and tells of them; false when some have not by then.
  static bool wait_for(Signalled& left, std::chrono::seconds patience);
  void give_up(Signalled& left) const;

  InitOptions options_;
  bool strict_ = true;
  bool broken_ = false;  // one could not be started; being strict or not is about confs
  std::vector<ManagedServer> servers_;
};

}  // namespace apus
