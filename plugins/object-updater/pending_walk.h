// The updates that wait on one device, the newest of each object alone.
#pragma once

#include <apus/host.h>

#include <optional>
#include <string>
#include <vector>

#include "framework/backend/pass_progress.h"
#include "framework/store/object/async_pending.h"
#include "plugins/object-updater/sweep_stats.h"

namespace apus {

struct WaitingUpdate {
  std::string path;  ///< of its file
  int policy = 0;
  AsyncPending update;
};

/// Folders in the DEVICE/async_pending[-N]: what a walk has before it.
std::size_t pending_folders(Disk& disk, const std::string& device);

/// Reads DEVICE/async_pending[-N]/xyz/HASH-TIMESTAMP. A file that an update of the same object
/// outdates is removed, one that cannot be read goes to DEVICE/quarantined/objects. One thread.
class PendingWalk {
 public:
  /// Each folder is told to `progress` when it was read.
  PendingWalk(Host& host, Logger& log, SweepStats& stats, PassProgress& progress,
              std::string device);
  /// Nothing at the end.
  std::optional<WaitingUpdate> next();

 private:
  struct Folder {
    std::string path;
    int policy;
  };
  bool list(const std::string& folder, std::vector<std::string>& names);
  void find_policies();
  bool next_prefix();
  std::optional<WaitingUpdate> take(const std::string& name);
  void quarantine(const std::string& name, const std::string& why);

  Host& host_;
  Logger& log_;
  SweepStats& stats_;
  PassProgress& progress_;
  std::string device_;
  std::vector<Folder> policies_;
  std::vector<std::string> prefixes_;
  std::vector<std::string> names_;  ///< of the present prefix; the last one is next
  std::string prefix_;              ///< its folder
  std::string last_hash_;
  int policy_ = 0;
};

}  // namespace apus
