// What the kernel's log says of drives that fail.
#pragma once

#include <apus/disk.h>
#include <apus/pattern.h>

#include <ctime>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace apus {

/// When a line of a kernel log was written, in seconds of the epoch. Both forms that syslog daemons
/// write: "Nov  9 04:53:09 ..." in local time, in `year`, and "2026-11-29T04:53:09.12+01:00 ...".
/// Nothing for other lines.
std::optional<std::time_t> log_time(std::string_view line, int year);

/// Kernel names of devices ("sdb1") and how many lines tell of an error of theirs.
using DriveErrors = std::map<std::string, int>;

/// Reads `files`, the newest first, each from its end: until a line from before `from`, or the
/// last boot. A line counts once for each piece of it that a pattern fits: the device is the
/// pattern's first group, or the whole piece. Throws std::system_error that names a file which
/// cannot be read.
DriveErrors count_drive_errors(Disk& disk, std::span<const std::string> files,
                               std::span<const Pattern> patterns, std::time_t from,
                               std::time_t now);

}  // namespace apus
