// Partitions brought to the devices that shall have them.
#pragma once

#include <apus/host.h>
#include <apus/options.h>
#include <apus/transport.h>

#include <functional>
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
  struct Wanted {
    const PartitionJob* job;
    bool list;  ///< looks for suffixes that the cache of hashes lacks
  };
  using Told = std::function<void(const PartitionJob&, const JobResult&, Clock::Steady begin)>;

  /// Throws std::invalid_argument for a sync_method that is none.
  PartitionReplicator(Host& host, Logger& log, const Options& options);

  /// Compares suffix hashes with every other primary and hands over what differs; a handoff stands
  /// in for a device that is away. All peers of all partitions are asked before the first answer is
  /// waited for. What was not begun when a stop is requested is not told.
  void update(const std::vector<Wanted>& wanted, const Told& told,
              const std::stop_token& stop) const;
  /// Hands all to the primaries and lets it go when enough of them have it.
  JobResult revert(const PartitionJob& job, const std::stop_token& stop) const;

 private:
  struct Pass;
  struct Update;
  struct Answer {
    std::optional<SuffixMap> hashes;  ///< nothing after an error, which was told
    bool away = false;                ///< another device shall stand in
  };
  struct Handed {
    bool good = false;
    std::set<std::string> in_sync;  ///< ssync: hashes that the peer has now
    std::set<std::string> unsent;   ///< ssync: hashes that could not be read here
  };

  [[nodiscard]] Call question(const PartitionJob& job, const RingDevice& to,
                              const std::string& suffixes) const;
  [[nodiscard]] Answer answer(const RingDevice& peer, Outcome outcome) const;
  [[nodiscard]] Update look(const Wanted& wanted) const;
  [[nodiscard]] JobResult compare(Update& update, const std::stop_token& stop) const;
  void update_peer(const PartitionJob& job, const RingDevice& peer, const SuffixMap& theirs,
                   Pass& pass, const std::stop_token& stop) const;
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
