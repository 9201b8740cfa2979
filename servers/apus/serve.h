// `apus serve CONF...`: the servers of some confs in one process.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace apus {

/// Loads and checks every conf, then serves until SIGTERM or SIGINT. `ready` is called once all
/// listen, with the first port of a server for clients (0 when there is none). Returns the exit
/// status; what is wrong with a conf is on stderr.
int serve(const std::vector<std::filesystem::path>& confs,
          const std::function<void(int port)>& ready);

/// The confs a path means: a file; a folder of confs that each have a pipeline; or a conf.d folder.
std::vector<std::filesystem::path> conf_paths(const std::filesystem::path& path);

/// Signals must be blocked before any thread is made: called first in main.
void block_stop_signals();

}  // namespace apus
