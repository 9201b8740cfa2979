// One process of the relinker: all policies that are on their way, on some devices.
#pragma once

#include <apus/options.h>

#include <set>
#include <string>
#include <vector>

namespace apus {

/// What conf and command line together want.
struct RelinkSettings {
  Options options;  ///< of [object-relinker]: log_* and reclaim_age
  std::string swift_dir;
  std::string devices_root;
  std::string recon_folder;
  std::set<int> policies;  ///< by index; empty = all
  std::set<std::uint64_t> partitions;
  bool clean_up = false;
  bool mount_check = true;
  double files_per_second = 0;  ///< folders of objects; 0 = no bound
  double stats_interval = 300;  ///< seconds
};

/// Exit statuses, Swift's.
inline constexpr int kRelinked = 0;
inline constexpr int kRelinkErrors = 1;
inline constexpr int kNoPolicyToRelink = 2;

/// Works on `devices`, names below `devices_root` (none = all there are); `prefix` stands before
/// each of its log lines. Gives the exit status. Throws std::exception for what keeps it from
/// starting.
int run_relink_worker(const RelinkSettings& settings, std::vector<std::string> devices,
                      const std::string& prefix);

}  // namespace apus
