// Daemons beside the servers of one process, as `apus up` runs them.
#pragma once

#include <apus/app.h>

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "framework/conf/ini_file.h"
#include "framework/plugin/loader.h"
#include "servers/apus/served.h"

namespace apus {

/// Every section of a conf that is named as a daemon plugin (`[container-updater]`) is that daemon,
/// each on a thread of its own. One thread.
class Background {
 public:
  /// Reads and checks the sections; what is wrong is appended to `problems`.
  Background(const std::vector<std::filesystem::path>& confs, std::vector<ConfProblem>& problems);
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  /// Waits for all to end.
  ~Background();

  /// Makes the daemons over the clusters of `served`, which outlives this, and lets them run.
  /// Throws std::runtime_error with a line for the deployer.
  void start(Served& served);
  /// Tells all to end; they do so at their next look, with their state kept.
  void stop();

 private:
  struct Running;
  PluginLoader loader_;
  std::vector<std::unique_ptr<Running>> daemons_;
};

}  // namespace apus
