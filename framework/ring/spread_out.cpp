// Exchanges that bring replicas further apart and leave every device as many as it has.
#include <algorithm>

#include "framework/ring/placement.h"

namespace apus {
namespace {

constexpr int kPartnersTried = 48;
constexpr int kMostFailures = 3000;
constexpr int kOverPlan = 1000;

class Exchange {
 public:
  explicit Exchange(PlacementTable& table)
      : table_(table), most_(most_replicas(table.tree, table.state.replicas)) {
    for (std::uint32_t row = 0; row < table.state.rows.size(); ++row) {
      for (std::uint32_t part = 0; part < table.placed[row].size(); ++part) {
        if (table.placed[row][part]) slots_.emplace_back(part, row);
      }
    }
  }

  void run() {
    if (slots_.size() < 2) return;
    int failures = 0;
    for (std::size_t i = 0; i < slots_.size() && failures < kMostFailures; ++i) {
      // In an order that is not that of partitions: those that are cut off are any.
      std::swap(slots_[i], slots_[i + pick(slots_.size() - i)]);
      const auto [part, row] = slots_[i];
      const int cost = cost_of(part);
      if (cost == 0 || !crowded(part, row)) continue;
      failures = improve(part, row, cost) ? 0 : failures + 1;
    }
  }

 private:
  std::size_t pick(std::size_t count) {
    return std::uniform_int_distribution<std::size_t>(0, count - 1)(table_.chance);
  }
  std::uint16_t& place(std::uint32_t part, std::uint32_t row) {
    return table_.state.rows[row][part];
  }

  bool improve(std::uint32_t part, std::uint32_t row, int cost) {
    for (int tries = 0; tries < kPartnersTried; ++tries) {
      const auto [other, other_row] = slots_[pick(slots_.size())];
      if (other == part || place(other, other_row) == place(part, row)) continue;
      const int before = cost + cost_of(other);
      std::swap(place(part, row), place(other, other_row));
      if (cost_of(part) + cost_of(other) < before) return true;
      std::swap(place(part, row), place(other, other_row));
    }
    return false;
  }

  // Replicas above an even spread at the partition's worst depth, and, far worse, above the plan.
  int cost_of(std::uint32_t part) {
    const auto replicas = table_.replicas_of(part);
    for (const auto& replica : replicas) {
      for (const std::uint32_t tier : table_.tree.path(replica.device)) ++table_.here[tier];
    }
    std::array<int, kDeviceDepth> excess{};
    int out = 0;
    for (const auto& replica : replicas) {
      for (std::size_t depth = 0; depth < kDeviceDepth; ++depth) {
        const std::uint32_t tier = table_.tree.path(replica.device)[depth];
        int& count = table_.here[tier];
        if (count == 0) continue;
        excess[depth] += std::max(0, count - most_[tier]);
        out += kOverPlan * std::max(0, count - table_.plan[tier].max);
        count = 0;
      }
    }
    return out + *std::max_element(excess.begin(), excess.end());
  }

  // Whether this replica is in a tier that has too many.
  bool crowded(std::uint32_t part, std::uint32_t row) {
    const auto replicas = table_.replicas_of(part);
    const TierTree::Path& mine = table_.tree.path(place(part, row));
    for (const std::uint32_t tier : mine) {
      int count = 0;
      for (const auto& replica : replicas) {
        const TierTree::Path& path = table_.tree.path(replica.device);
        count += std::find(path.begin(), path.end(), tier) != path.end() ? 1 : 0;
      }
      if (count > most_[tier]) return true;
    }
    return false;
  }

  PlacementTable& table_;
  std::vector<int> most_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> slots_;  ///< partition and row
};

}  // namespace

void spread_out(PlacementTable& table) { Exchange(table).run(); }

}  // namespace apus
