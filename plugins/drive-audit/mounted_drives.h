// The drives that are mounted as devices of this machine.
#pragma once

#include <apus/log.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace apus {

struct MountedDrive {
  std::string folder;  ///< where it is mounted
  std::string source;  ///< its block device, "/dev/sdb1"
  std::string kernel;  ///< what the kernel calls it, "sdb1"
};

/// The lines of /proc/mounts (`mounts`) that are mounted below `root`. One whose block device
/// cannot be asked is told of as an error and left out.
std::vector<MountedDrive> drives_below(const std::string& root, std::string_view mounts,
                                       Logger& log);

/// The text of /etc/fstab with the lines of `folder` made comments; nothing when there is none.
std::optional<std::string> commented_out(std::string_view fstab, const std::string& folder);

}  // namespace apus
