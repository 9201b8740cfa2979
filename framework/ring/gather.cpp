// Which replicas are picked up.
#include <algorithm>
#include <cmath>

#include "framework/ring/placement.h"

namespace apus {

PlacementTable::PlacementTable(BuilderState& the_state, std::mt19937_64& the_chance)
    : state(the_state),
      chance(the_chance),
      tree(state.devices),
      plan(replica_plan(tree, state.replicas, state.overload)),
      moved(state.parts()),
      gathered(state.parts()),
      here(tree.size()) {
  const std::vector<std::int64_t> planned =
      planned_parts(tree, plan, state.replicas, state.parts(), state.devices);
  const auto all =
      static_cast<std::int64_t>(static_cast<double>(state.parts()) * std::ceil(state.replicas));
  for (auto& device : state.devices) {
    if (!device) continue;
    device->parts_wanted =
        device->weight > 0 ? planned[static_cast<std::size_t>(device->id)] - device->parts : -all;
  }
}

void PlacementTable::pick_up(std::size_t part, std::size_t row) {
  std::uint16_t& place = state.rows[row][part];
  BuilderDevice& from = device(place);
  ++from.parts_wanted;
  --from.parts;
  place = kNoDevice;
  mark_moved(part);
  gather(part);
}

std::span<const PlacementTable::Replica> PlacementTable::replicas_of(std::size_t part) {
  replicas_.clear();
  for (std::size_t row = 0; row < state.rows.size(); ++row) {
    if (part < state.rows[row].size() && state.rows[row][part] != kNoDevice)
      replicas_.push_back({state.rows[row][part], row});
  }
  return replicas_;
}

void fit_rows(PlacementTable& table) {
  BuilderState& state = table.state;
  std::vector<std::size_t> lengths(static_cast<std::size_t>(state.replicas), state.parts());
  const double fraction = state.replicas - std::floor(state.replicas);
  if (fraction > 0) {
    lengths.push_back(static_cast<std::size_t>(static_cast<double>(state.parts()) * fraction));
  }
  const auto shorten = [&](std::size_t row, std::size_t length) {
    for (std::size_t part = length; part < state.rows[row].size(); ++part) {
      BuilderDevice& device = table.device(state.rows[row][part]);
      --device.parts;
      ++device.parts_wanted;
    }
    state.rows[row].resize(length);
  };
  while (state.rows.size() > lengths.size()) {
    shorten(state.rows.size() - 1, 0);
    state.rows.pop_back();
  }
  state.rows.resize(lengths.size());
  for (std::size_t row = 0; row < lengths.size(); ++row) {
    if (state.rows[row].size() > lengths[row]) shorten(row, lengths[row]);
    for (std::size_t part = state.rows[row].size(); part < lengths[row]; ++part) table.gather(part);
    state.rows[row].resize(lengths[row], kNoDevice);
    table.placed.emplace_back(lengths[row]);
  }
}

int gather_removed(PlacementTable& table) {
  BuilderState& state = table.state;
  std::vector<bool> leaves(state.devices.size());
  bool any = false;
  for (const int id : state.removed) {
    leaves[static_cast<std::size_t>(id)] = true;
    any = true;
  }
  if (any) {
    for (auto& row : state.rows) {
      for (std::size_t part = 0; part < row.size(); ++part) {
        if (row[part] == kNoDevice || !leaves[row[part]]) continue;
        row[part] = kNoDevice;
        table.mark_moved(part);
        table.gather(part);
      }
    }
  }
  const auto count = static_cast<int>(state.removed.size());
  for (const int id : state.removed) state.devices[static_cast<std::size_t>(id)].reset();
  state.removed.clear();
  return count;
}

namespace {

using Replica = PlacementTable::Replica;

void count_here(PlacementTable& table, std::span<const Replica> replicas) {
  for (const Replica& replica : replicas) {
    for (const std::uint32_t tier : table.tree.path(replica.device)) ++table.here[tier];
  }
}
void forget_here(PlacementTable& table, std::span<const Replica> replicas) {
  for (const Replica& replica : replicas) {
    for (const std::uint32_t tier : table.tree.path(replica.device)) table.here[tier] = 0;
  }
}

// Those with the most to give come first.
void sort_by_need(PlacementTable& table, std::vector<Replica>& replicas) {
  std::stable_sort(replicas.begin(), replicas.end(), [&](const Replica& a, const Replica& b) {
    return table.device(a.device).parts_wanted < table.device(b.device).parts_wanted;
  });
}

void overweight_of(PlacementTable& table, std::span<const Replica> replicas,
                   std::vector<Replica>& out) {
  out.clear();
  for (const Replica& replica : replicas) {
    if (table.device(replica.device).parts_wanted < 0) out.push_back(replica);
  }
  if (out.size() > 1) sort_by_need(table, out);
}

// Whether a replica may leave its device with a better place in sight: in the widest tier that it
// may leave without going below the plan, some other device wants more.
class Careful {
 public:
  explicit Careful(PlacementTable& table) : table_(table), wanted_(table.tree.size()) {
    for (const TierPlan& plan : table.plan) least_ += plan.min;
    least_ -= table.plan[0].min;
    for (const auto& device : table.state.devices) {
      if (!device) continue;
      const std::int64_t wanted = std::max<std::int64_t>(device->parts_wanted, 0);
      wanted_[0] += wanted;
      for (const std::uint32_t tier : table.tree.path(device->id)) wanted_[tier] += wanted;
    }
  }

  // Whether some tier has fewer of the partition in hand than the plan says.
  bool missed_somewhere(std::span<const Replica> replicas) {
    int there = 0;
    for (const Replica& replica : replicas) {
      for (const std::uint32_t tier : table_.tree.path(replica.device)) {
        // Each of its first `min` replicas counts.
        if (++seen_[tier] <= table_.plan[tier].min) ++there;
      }
    }
    for (const Replica& replica : replicas) {
      for (const std::uint32_t tier : table_.tree.path(replica.device)) seen_[tier] = 0;
    }
    return there < least_;
  }
  bool may_leave(const Replica& replica) const {
    const TierTree::Path& path = table_.tree.path(replica.device);
    for (const std::uint32_t tier : path) {
      const TierPlan& plan = table_.plan[tier];
      const int count = table_.here[tier];
      if (plan.min <= count && count < plan.max) return false;
    }
    std::size_t depth = path.size();
    while (depth > 0 && table_.here[path[depth - 1]] > table_.plan[path[depth - 1]].min) --depth;
    // `depth` tiers of the path must keep it.
    const std::uint32_t within = depth == 0 ? 0 : path[depth - 1];
    return wanted_[within] > 0;
  }
  void left(const Replica& replica) {
    for (const std::uint32_t tier : table_.tree.path(replica.device)) {
      --wanted_[tier];
      --table_.here[tier];
    }
    --wanted_[0];
  }

 private:
  PlacementTable& table_;
  std::vector<std::int64_t> wanted_;
  std::vector<int> seen_ = std::vector<int>(wanted_.size());
  std::int64_t least_ = 0;
};

// Where to start is any place on the other side of the ring.
std::size_t turn(PlacementTable& table) {
  BuilderState& state = table.state;
  const std::size_t parts = state.parts();
  const std::size_t by = std::uniform_int_distribution<std::size_t>(0, parts / 2)(table.chance);
  const std::size_t start =
      (static_cast<std::size_t>(state.last_part_gather_start) + parts / 4 + by) % parts;
  state.last_part_gather_start = static_cast<std::int64_t>(start);
  return start;
}

}  // namespace

void gather_for_dispersion(PlacementTable& table) {
  std::vector<Replica> close;
  for (std::size_t part = 0; part < table.state.parts(); ++part) {
    if (!table.can_move(part)) continue;
    const auto replicas = table.replicas_of(part);
    count_here(table, replicas);
    close.clear();
    for (const Replica& replica : replicas) {
      const TierTree::Path& path = table.tree.path(replica.device);
      if (std::any_of(path.begin(), path.end(), [&](std::uint32_t tier) {
            return table.here[tier] > table.plan[tier].max;
          })) {
        close.push_back(replica);
      }
    }
    if (close.size() > 1) sort_by_need(table, close);
    for (const Replica& replica : close) {
      // One replica moves at a time, but two on one device cannot stay.
      const TierTree::Path& path = table.tree.path(replica.device);
      if (!table.can_move(part) && table.here[path.back()] <= 1) continue;
      table.pick_up(part, replica.row);
      for (const std::uint32_t tier : path) --table.here[tier];
    }
    forget_here(table, replicas);
  }
}

void gather_carefully(PlacementTable& table) {
  const std::size_t start = turn(table);
  Careful careful(table);
  std::vector<Replica> overweight;
  const std::size_t parts = table.state.parts();
  // Where a place misses the partition, a move helps twice: those come first.
  for (const bool missed : {true, false}) {
    for (std::size_t offset = 0; offset < parts; ++offset) {
      const std::size_t part = (start + offset) % parts;
      if (!table.can_move(part)) continue;
      const auto replicas = table.replicas_of(part);
      overweight_of(table, replicas, overweight);
      if (overweight.empty() || (missed && !careful.missed_somewhere(replicas))) continue;
      count_here(table, replicas);
      for (const Replica& replica : overweight) {
        if (!careful.may_leave(replica)) continue;
        table.pick_up(part, replica.row);
        careful.left(replica);
        break;
      }
      forget_here(table, replicas);
    }
  }
}

void gather_overweight(PlacementTable& table) {
  const std::size_t start = turn(table);
  const std::size_t parts = table.state.parts();
  std::vector<Replica> overweight;
  for (std::size_t offset = 0; offset < parts; ++offset) {
    const std::size_t part = (start + offset) % parts;
    if (!table.can_move(part)) continue;
    overweight_of(table, table.replicas_of(part), overweight);
    if (!overweight.empty()) table.pick_up(part, overweight.front().row);
  }
}

}  // namespace apus
