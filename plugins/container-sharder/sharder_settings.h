// What the section [container-sharder] asks for.
#pragma once

#include <apus/host.h>
#include <apus/options.h>

#include <chrono>
#include <cstdint>
#include <set>
#include <string>

#include "framework/sharding/compaction.h"
#include "framework/sharding/sharding_limits.h"

namespace apus {

struct SharderSettings {
  /// Throws std::runtime_error with a line for the deployer.
  SharderSettings(const Options& options, const SwiftConf& conf);

  ShardingLimits limits;
  bool auto_shard;
  std::int64_t scanner_batch;
  std::int64_t cleave_batch;
  std::int64_t row_batch;
  std::chrono::seconds broker_timeout;
  std::int64_t candidates_limit;  ///< -1 = all
  double sharded_timeout;         ///< seconds
  double stats_interval;          ///< seconds
  double reclaim_age;             ///< seconds
  std::string shards_prefix;      ///< ".shards_"
  std::string recon_folder;
  std::set<std::string> devices;     ///< names; empty = all
  std::set<std::string> partitions;  ///< empty = all

  [[nodiscard]] CompactionLimits compaction() const;
  /// Copies that a shard must have before its rows count as cleaved, of `replicas`.
  [[nodiscard]] std::int64_t quorum_of_new(double replicas) const;
  [[nodiscard]] std::int64_t quorum_of_existing(double replicas) const;

 private:
  std::string new_quorum_;
  std::string existing_quorum_;
};

/// Half of the replicas, rounded up.
[[nodiscard]] std::int64_t quorum_of(double replicas);

}  // namespace apus
