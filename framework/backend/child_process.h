// Programs that daemons run: rsync, for the most part.
#pragma once

#include <apus/ring.h>
#include <sys/types.h>

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

namespace apus {

struct ChildResult {
  bool good = false;   ///< ended in time with status 0
  std::string output;  ///< of both streams, at most 64 KiB, and why it failed
};

/// Runs a program of PATH to its end, with no standard input; kills it after `timeout`, or soon
/// after `stop` is requested.
APUS_API ChildResult run_child(const std::vector<std::string>& command,
                               std::chrono::milliseconds timeout, const std::stop_token& stop = {});

/// Starts a program, of PATH unless its first word has a slash, with no signal blocked: 0 and the
/// pid, or errno. Its standard output and error are `out`, its input is empty; with -1 it has this
/// process's three.
APUS_API int start_child(const std::vector<std::string>& command, int out, pid_t& pid);

/// Reads on until nobody has the other end of the pipe any more; of all that `out` is to hold no
/// more than 64 KiB are kept. False when `end` came first, or a stop was requested.
APUS_API bool collect_output(int fd, std::string& out, std::chrono::steady_clock::time_point end,
                             const std::stop_token& stop = {});

/// An rsync module's pattern filled in for a device: {ip}, {port}, {replication_ip},
/// {replication_port}, {region}, {zone}, {device}, {meta}; IPv6 addresses in brackets. Unknown
/// fields stay; slashes at the end go.
APUS_API std::string rsync_module_for(const std::string& pattern, const RingDevice& device);

/// True of an rsync target that a daemon takes (`host::module`, `rsync://`): rsync refuses
/// `--contimeout` for a folder.
APUS_API bool is_rsync_daemon(const std::string& target);

}  // namespace apus
