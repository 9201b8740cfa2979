// Confs served in this very process, as `apus up` does; `apus serve` puts a supervisor above it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "framework/conf/ini_file.h"

namespace apus {

/// Loads and checks every conf, then serves until SIGTERM, SIGINT or SIGHUP, with the daemons that
/// have a section in them beside. `ready` is called once
/// all listen, with the first port of a server for clients (0 when there is none). Returns the exit
/// status; what is wrong with a conf is on stderr.
int serve(const std::vector<std::filesystem::path>& confs,
          const std::function<void(int port)>& ready);

/// A conf whose pipeline is for a daemon's own requests: internal-client.conf and
/// those of kOwnConfs.
bool serves_nobody(const std::filesystem::path& path);

/// The confs a path means: a file; a folder of confs that each have a pipeline and serve somebody;
/// or a conf.d folder.
std::vector<std::filesystem::path> conf_paths(const std::filesystem::path& path);

/// One line a problem on stderr, "error: " or "warning: " in front.
void tell(const std::vector<ConfProblem>& problems);

/// Signals must be blocked before any thread is made: called first in main.
void block_stop_signals();

}  // namespace apus
