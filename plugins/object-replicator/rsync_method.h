// Suffixes of a partition handed to another device by rsync.
#pragma once

#include <apus/host.h>
#include <apus/options.h>

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "plugins/object-replicator/jobs.h"

namespace apus {

/// Thread-safe.
class RsyncMethod {
 public:
  RsyncMethod(Host& host, Logger& log, const Options& options);

  /// One run of rsync, Swift's arguments. Suffixes that are gone are left out; false when none is
  /// left, when rsync fails or takes too long (all but the first are logged).
  bool push(const PartitionJob& job, const RingDevice& to, const std::vector<std::string>& suffixes,
            const std::stop_token& stop) const;
  /// The command line, for suffixes that are there.
  [[nodiscard]] std::vector<std::string> command(const PartitionJob& job, const RingDevice& to,
                                                 const std::vector<std::string>& suffixes) const;

 private:
  void tell(const std::string& output, bool good) const;
  [[nodiscard]] std::string cut(std::string line) const;

  Host& host_;
  Logger& log_;
  std::string module_;
  std::string io_timeout_;
  std::string bandwidth_;
  std::chrono::milliseconds timeout_;
  bool compress_;
  bool log_transfers_;
  std::size_t line_length_;  ///< 0 = whole lines
};

}  // namespace apus
