// Moves partitions between the devices of a ring until each has its share.
#pragma once

#include <cstdint>
#include <random>

#include "framework/ring/builder_state.h"

namespace apus {

/// What a rebalance did.
struct RebalanceResult {
  std::int64_t moved = 0;  ///< partition replicas that have another device now, or none
  double balance = 0;      ///< the worst device's, in percent
  int removed = 0;         ///< devices that left
};

/// Adds the whole hours from the epoch to `now` (seconds) to every partition's hours.
APUS_API void age_part_moves(BuilderState& state, std::int64_t now);

/// One rebalance, as Swift's goes: new and removed rows; partitions of removed devices; then, of
/// partitions that did not move within min_part_hours, one replica each: those too close to others,
/// those on devices that have too many. All find a place where the plan (replica_plan) has room
/// for that partition, the roomiest first. Unlike Swift, a replica that would gain nothing is
/// picked up only when devices cannot get what they should by moves with an aim, and what was
/// picked up changes places where that brings devices or replicas closer to the plan. Throws
/// BuilderError when there are too few devices; the state is then as it was. Linear in partitions;
/// takes a few bytes for each partition beside the rows.
APUS_API RebalanceResult rebalance(BuilderState& state, std::mt19937_64& chance, std::int64_t now);

}  // namespace apus
