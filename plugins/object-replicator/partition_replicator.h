// One partition brought to the devices that shall have it.
#pragma once

#include <apus/host.h>
#include <apus/options.h>
#include <apus/transport.h>

#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "framework/ssync/sender.h"
#include "framework/store/object/object_store.h"
#include "framework/transport/duplex.h"
#include "plugins/object-replicator/jobs.h"
#include "plugins/object-replicator/partition_files.h"
#include "plugins/object-replicator/rsync_method.h"
#include "plugins/object-replicator/stats.h"

namespace apus {

/// What became of one job.
struct JobResult {
  ReplicationStats stats;
  bool handoff_left = false;  ///< a partition that belongs elsewhere is still here
};

/// Thread-safe: the state is on the disks.
class PartitionReplicator {
 public:
  /// Throws std::invalid_argument for a sync_method that is none.
  PartitionReplicator(Host& host, Logger& log, const Options& options);

  /// Compares suffix hashes with every other primary and hands over what differs; a handoff stands
  /// in for a device that is away. `list` looks for suffixes that the cache of hashes lacks.
  JobResult update(const PartitionJob& job, bool list, const std::stop_token& stop) const;
  /// Hands all to the primaries and lets it go when enough of them have it.
  JobResult revert(const PartitionJob& job, const std::stop_token& stop) const;

 private:
  struct Pass;
  struct Handed {
    bool good = false;
    std::set<std::string> in_sync;  ///< ssync: hashes that the peer has now
    std::set<std::string> unsent;   ///< ssync: hashes that could not be read here
  };

  [[nodiscard]] Outcome replicate(const PartitionJob& job, const RingDevice& to,
                                  const std::string& suffixes) const;
  [[nodiscard]] std::optional<SuffixHashes::Map> hashes_of(const PartitionJob& job,
                                                           const RingDevice& peer,
                                                           bool& away) const;
  /// False = the device is away.
  bool update_peer(const PartitionJob& job, const RingDevice& peer, Pass& pass,
                   const std::stop_token& stop) const;
  void revert_locked(const PartitionJob& job, Pass& pass, JobResult& result,
                     const std::stop_token& stop) const;
  [[nodiscard]] Handed hand_over(const PartitionJob& job, const RingDevice& to,
                                 const std::vector<std::string>& suffixes,
                                 const std::set<std::string>* only_check,
                                 const std::stop_token& stop) const;
  [[nodiscard]] Handed by_rsync(const PartitionJob& job, const RingDevice& to,
                                const std::vector<std::string>& suffixes,
                                const std::stop_token& stop) const;

  Host& host_;
  Logger& log_;
  ObjectStore store_;
  RsyncMethod rsync_;
  bool ssync_;
  Deadlines deadlines_;
  DuplexDeadlines ssync_deadlines_;
  std::int64_t handoff_delete_;  ///< 0 = all
  std::string agent_;
};

}  // namespace apus
