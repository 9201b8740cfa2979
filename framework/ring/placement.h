// The inner parts of a rebalance: the plan, and which partitions are picked up and put down.
#pragma once

#include <random>
#include <span>
#include <vector>

#include "framework/ring/replica_plan.h"

namespace apus {

/// What the steps of one rebalance share. Not thread-safe.
class PlacementTable {
 public:
  PlacementTable(BuilderState& state, std::mt19937_64& chance);

  struct Replica {
    std::uint16_t device;
    std::size_t row;
  };

  /// False within min_part_hours of the last move, and after one in this rebalance.
  [[nodiscard]] bool can_move(std::size_t part) const {
    return state.last_part_moves[part] >= state.min_part_hours && !moved[part];
  }
  void mark_moved(std::size_t part) {
    state.last_part_moves[part] = 0;
    moved[part] = true;
  }
  /// Takes the replica off its device, to be placed again.
  void pick_up(std::size_t part, std::size_t row);
  /// The partition waits for a place.
  void gather(std::size_t part) {
    if (gathered[part]) return;
    gathered[part] = true;
    waiting.push_back(static_cast<std::uint32_t>(part));
  }
  /// Those that lie on a device now. Valid until the next call.
  std::span<const Replica> replicas_of(std::size_t part);
  [[nodiscard]] BuilderDevice& device(std::uint16_t id) { return *state.devices[id]; }

  BuilderState& state;
  std::mt19937_64& chance;
  TierTree tree;
  std::vector<TierPlan> plan;
  std::vector<bool> moved;
  std::vector<std::vector<bool>> placed;  ///< by row and partition: put down in this rebalance
  std::vector<bool> gathered;
  std::vector<std::uint32_t> waiting;  ///< partitions with a replica on no device
  std::vector<int> here;               ///< by tier: replicas of the partition in hand; else zero

 private:
  std::vector<Replica> replicas_;
};

/// Rows as long as the replica count says; new places wait.
void fit_rows(PlacementTable& table);
/// Partitions of removed devices wait, the devices leave. How many.
int gather_removed(PlacementTable& table);
/// Partitions with more replicas in a tier than the plan has.
void gather_for_dispersion(PlacementTable& table);
/// From devices that have too many: replicas that have a better place in sight.
void gather_carefully(PlacementTable& table);
/// From devices that have too many: of each partition that may move the replica that weighs most.
void gather_overweight(PlacementTable& table);
/// Gives every waiting replica a device.
void place_waiting(PlacementTable& table);
/// Until devices have what they want, or no way is left: what was put down in this rebalance, and
/// partitions that may move, go on from devices that have too many, by way of others if need be.
void even_out(PlacementTable& table);
/// Exchanges places among what was put down in this rebalance where that brings replicas further
/// apart.
void spread_out(PlacementTable& table);

}  // namespace apus
