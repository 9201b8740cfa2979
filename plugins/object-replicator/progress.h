// What a pass of the object replicator did so far: log lines, and how much is left.
#pragma once

#include <apus/host.h>

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "framework/backend/pass_progress.h"
#include "plugins/object-replicator/jobs.h"
#include "plugins/object-replicator/partition_replicator.h"
#include "plugins/object-replicator/stats.h"

namespace apus {

/// One pass. Thread-safe.
class Progress {
 public:
  /// `recon`, which outlives this, may be null.
  Progress(Host& host, Logger& log, const ReconCache* recon,
           std::chrono::milliseconds between_lines, std::size_t jobs);

  /// A device of this machine that is not mounted: nobody of its rings gets anything of it.
  void add_away(const std::string& device, const JobList::Found& found);
  /// A job that began at `begin` has ended. Writes Swift's lines when they are due.
  void add(const PartitionJob& job, const JobResult& result, Clock::Steady begin);
  /// The lines now; with `last` even when nothing was done since the last ones.
  void line(bool last);

  [[nodiscard]] std::int64_t handoffs_left() const;
  [[nodiscard]] double seconds() const;  ///< since the start
  [[nodiscard]] ReplicationStats total() const;
  [[nodiscard]] ReplicationStats of(const std::string& device) const;

 private:
  [[nodiscard]] ReplicationStats sum() const;
  void write();

  Host& host_;
  Logger& log_;
  std::chrono::milliseconds between_lines_;
  std::size_t jobs_;
  PassProgress pass_;
  Clock::Steady start_;
  mutable std::mutex mutex_;
  Clock::Steady next_line_;
  std::map<std::string, ReplicationStats> devices_;
  std::vector<double> times_;  ///< seconds of each job
  std::int64_t handoffs_left_ = 0;
  std::int64_t told_ = 0;  ///< jobs at the last lines
};

}  // namespace apus
