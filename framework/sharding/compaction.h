// Small shards that may go into a neighbor.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/store/db/container_broker.h"

namespace apus {

struct CompactionLimits {
  std::int64_t shrink_threshold;  ///< a shard of fewer rows may go
  std::int64_t expansion_limit;   ///< rows that the others may have in the end
  std::int64_t max_shrinking;     ///< shards that go into one; -1 = any number
  std::int64_t max_expanding;     ///< shards that take in others; -1 = any number
};

/// Neighbors in order: all but the last (donors) may go into the last (the acceptor).
using ShardSequence = std::vector<ShardRange>;

/// Of a sharded root. The acceptor is the root's own range when all shards together fit into it.
/// With `with_shrinking`, those that are on their way are among them.
APUS_API std::vector<ShardSequence> find_compactible_sequences(ContainerBroker& root,
                                                               const CompactionLimits& limits,
                                                               bool with_shrinking = false);

/// Turns donors to shrinking, widens acceptors over them, and stores both. The sequences are
/// changed likewise.
APUS_API void store_compactions(ContainerBroker& root, std::vector<ShardSequence>& sequences,
                                const Timestamp& now);

/// Turns the donors to shrinking at `now`, which becomes their epoch.
APUS_API void begin_shrinking(std::vector<ShardRange>& donors, const Timestamp& now);

}  // namespace apus
