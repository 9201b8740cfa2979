// What each step of the sharder works with.
#pragma once

#include <apus/host.h>
#include <apus/ring.h>

#include <functional>
#include <stop_token>
#include <string>

#include "framework/backend/database_replicator.h"
#include "framework/store/db/container_broker.h"
#include "plugins/container-sharder/sharder_settings.h"
#include "plugins/container-sharder/sharder_stats.h"
#include "plugins/container-sharder/sharding_peers.h"

namespace apus {

/// A shard's database on this machine, and whether it was made just now.
struct ShardCopy {
  ContainerBroker broker;
  int device_id;
  std::string made_at;  ///< its put_timestamp when it is new; else empty
};

/// One pass over one machine's devices. One thread.
struct SharderWork {
  Host& host;
  Logger& log;
  const SharderSettings& settings;
  SharderStats& stats;
  const ShardingPeers& peers;
  BrokerServices services;
  std::shared_ptr<const Ring> ring;
  /// Where this machine may keep a container; sets the device's id.
  std::function<DatabasePlace(const ShardRange&, int& device_id)> place_of;
  std::function<DatabaseReplicator::Replicated(const DatabasePlace&, int device_id)> replicate;
  /// Takes a database away.
  std::function<void(const DatabasePlace&)> remove;
  std::stop_token stop;

  /// The copy of a shard on this machine; made when it is not there. It knows its own range and its
  /// root then.
  [[nodiscard]] ShardCopy shard_copy(const ShardRange& range, const std::string& root,
                                     std::int64_t policy) const;
  [[nodiscard]] Timestamp now() const { return host.clock().timestamp(); }
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(host.clock().steady().time_since_epoch()).count();
  }
  /// For log lines: "account/container" percent-encoded.
  [[nodiscard]] static std::string name_of(ContainerBroker& broker);
  [[nodiscard]] static std::string name_of(const ShardRange& range);
};

}  // namespace apus
