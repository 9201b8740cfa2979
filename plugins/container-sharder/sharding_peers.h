// Shard ranges between containers: read from a root, sent to roots and shards.
#pragma once

#include <apus/headers.h>
#include <apus/host.h>
#include <apus/ring.h>
#include <apus/text.h>
#include <apus/transport.h>

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "framework/pipeline/internal_client.h"
#include "framework/store/db/container_broker.h"

namespace apus {

/// One thread.
class ShardingPeers {
 public:
  ShardingPeers(Host& host, Logger& log, const Deadlines& deadlines,
                std::unique_ptr<InternalClient> client);
  ~ShardingPeers();

  /// What the root of `shard` says now. `query` may have states, marker and end_marker. Nothing,
  /// and told, when it does not say.
  [[nodiscard]] std::optional<std::vector<ShardRange>> fetch(ContainerBroker& shard, Query query,
                                                             bool include_deleted,
                                                             const std::stop_token& stop) const;
  /// Puts the ranges to all servers of the container "account/container", `fields` beside. True
  /// when a quorum took them.
  [[nodiscard]] bool send(const std::string& path, const std::vector<ShardRange>& ranges,
                          const Headers& fields = {}) const;

 private:
  [[nodiscard]] bool put(const RingDevice& device, std::uint32_t partition, const std::string& path,
                         const Headers& fields, const std::string& body) const;

  Host& host_;
  Logger& log_;
  Deadlines deadlines_;
  std::unique_ptr<InternalClient> client_;
};

}  // namespace apus
