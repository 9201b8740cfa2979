// Where replicas that were picked up are put down.
#include "framework/ring/placement.h"

#include <algorithm>

namespace apus {
namespace {

// How much room each tier has, with siblings side by side in the order in which they are asked.
class Rooms {
 public:
  explicit Rooms(PlacementTable& table)
      : table_(table), room_(table.tree.size()), order_(table.tree.size()) {
    const auto& tiers = table.tree.tiers();
    // (wanted, chance): the largest of its devices decides for a tier.
    std::vector<std::pair<std::int64_t, std::uint32_t>> rank(tiers.size(), {INT64_MIN, 0});
    for (std::uint32_t i = static_cast<std::uint32_t>(tiers.size()); i-- > 1;) {
      if (tiers[i].weighted_devices == 0) continue;
      if (tiers[i].depth == kDeviceDepth) {
        const std::int64_t wanted =
            table.state.devices[static_cast<std::size_t>(tiers[i].device)]->parts_wanted;
        rank[i] = {wanted, static_cast<std::uint32_t>(table.chance() & 0xffffU)};
        room_[i] = std::max<std::int64_t>(wanted, 0);
      }
      room_[tiers[i].parent] += room_[i];
      rank[tiers[i].parent] = std::max(rank[tiers[i].parent], rank[i]);
    }
    for (const Tier& tier : tiers) {
      for (std::uint32_t c = 0; c < tier.children; ++c)
        order_[tier.first_child + c] = tier.first_child + c;
      const auto first = order_.begin() + tier.first_child;
      std::sort(first, first + tier.children,
                [&](std::uint32_t a, std::uint32_t b) { return rank[a] < rank[b]; });
    }
  }

  // The device for one more replica of the partition whose others are counted in table.here; -1
  // when the plan has no place.
  int roomiest() const {
    const auto& tiers = table_.tree.tiers();
    std::uint32_t at = 0;
    while (tiers[at].children > 0) {
      std::uint32_t best = 0;
      std::int64_t most = INT64_MIN;
      const std::uint32_t end = tiers[at].first_child + tiers[at].children;
      for (std::uint32_t c = tiers[at].first_child; c < end; ++c) {
        const std::uint32_t tier = order_[c];
        if (room_[tier] > most && table_.here[tier] < table_.plan[tier].max) {
          best = tier;
          most = room_[tier];
        }
      }
      if (best == 0) return -1;
      at = best;
    }
    return tiers[at].device;
  }

  void taken(int device) {
    for (const std::uint32_t tier : table_.tree.path(device)) --room_[tier];
  }

 private:
  PlacementTable& table_;
  std::vector<std::int64_t> room_;
  std::vector<std::uint32_t> order_;
};

}  // namespace

void place_waiting(PlacementTable& table) {
  BuilderState& state = table.state;
  std::shuffle(table.waiting.begin(), table.waiting.end(), table.chance);
  Rooms rooms(table);
  for (const std::uint32_t part : table.waiting) {
    table.gathered[part] = false;
    state.last_part_moves[part] = 0;
    for (const auto& replica : table.replicas_of(part)) {
      for (const std::uint32_t tier : table.tree.path(replica.device)) ++table.here[tier];
    }
    for (auto& row : state.rows) {
      if (part >= row.size() || row[part] != kNoDevice) continue;
      const int id = rooms.roomiest();
      if (id < 0) throw BuilderError("partition " + std::to_string(part) + " finds no device");
      row[part] = static_cast<std::uint16_t>(id);
      table.placed[static_cast<std::size_t>(&row - state.rows.data())][part] = true;
      BuilderDevice& device = table.device(row[part]);
      --device.parts_wanted;
      ++device.parts;
      rooms.taken(id);
      for (const std::uint32_t tier : table.tree.path(id)) ++table.here[tier];
    }
    for (const auto& replica : table.replicas_of(part)) {
      for (const std::uint32_t tier : table.tree.path(replica.device)) table.here[tier] = 0;
    }
  }
  table.waiting.clear();
}

}  // namespace apus
