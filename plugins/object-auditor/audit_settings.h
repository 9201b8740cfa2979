// What the section [object-auditor] asks for.
#pragma once

#include <apus/options.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace apus {

struct AuditSettings {
  explicit AuditSettings(const Options& options);

  std::string root;
  bool mount_check;
  std::string recon_folder;
  std::chrono::milliseconds interval;
  std::chrono::milliseconds log_time;
  double files_per_second;
  double zero_byte_files_per_second;  ///< 0 = no audit of that kind
  double bytes_per_second;
  std::size_t concurrency;
  std::size_t piece;                 ///< bytes read at once
  double reclaim_age;                ///< seconds
  double tempfile_age;               ///< seconds after which rsync's temporary files go
  std::vector<std::int64_t> sizes;   ///< object_size_stats, ascending
  std::vector<std::string> devices;  ///< asked for on the command line; empty = all
  double zero_byte_only;  ///< asked for on the command line: this kind alone, at this rate
};

}  // namespace apus
