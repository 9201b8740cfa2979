#include "framework/ring/replica_plan.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

namespace apus {
namespace {

constexpr double kNone = 1e-10;
constexpr int kMostRounds = 1000;

void check_device_count(const TierTree& tree, double replicas) {
  const int devices = tree.tiers().front().weighted_devices;
  if (devices >= replicas) return;
  char text[120];
  std::snprintf(text, sizeof text, "%g replicas need as many devices with weight; there %s %d",
                replicas, devices == 1 ? "is" : "are", devices);
  throw BuilderError(text);
}

// From devices up to the cluster.
void sum_up(const TierTree& tree, std::vector<double>& values) {
  for (std::size_t i = tree.size(); i-- > 1;) values[tree.tiers()[i].parent] += values[i];
}

// What an even spread over the children gives each tier, whatever their weights.
std::vector<double> even_replicas(const TierTree& tree, double replicas, bool whole) {
  std::vector<double> out(tree.size());
  out[0] = replicas;
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const Tier& tier = tree.tiers()[i];
    if (tier.depth == kDeviceDepth) out[i] = std::min(1.0, out[i]);
    const int children = tree.weighted_children(tier);
    if (children == 0) continue;
    const double share = whole ? std::ceil(out[i] / children) : out[i] / children;
    for (std::uint32_t c = tier.first_child; c < tier.first_child + tier.children; ++c)
      out[c] = tree.tiers()[c].weighted_devices > 0 ? share : 0;
  }
  return out;
}

// Divides the replicas of one tier among its children: by weight, but within the bounds of an even
// spread as long as that is possible, and never more than there are devices.
class Division {
 public:
  Division(const TierTree& tree, const std::vector<double>& weighted,
           const std::vector<double>& even, std::uint32_t parent, double replicas)
      : tree_(tree), weighted_(weighted), even_(even), replicas_(replicas) {
    const Tier& tier = tree.tiers()[parent];
    for (std::uint32_t c = tier.first_child; c < tier.first_child + tier.children; ++c) {
      if (tree.tiers()[c].weighted_devices > 0) children_.push_back(c);
    }
  }

  void into(std::vector<double>& placed) {
    std::vector<std::uint32_t> spread = children_;
    double remaining = replicas_;
    for (int round = 0; round < kMostRounds && !spread.empty(); ++round) {
      add(placed, spread, remaining);
      remaining = replicas_;
      for (const std::uint32_t c : children_) remaining -= placed[c];
      if (std::abs(remaining) <= kNone) return;
      spread = remaining < 0 ? that_can_give(placed) : that_can_take(placed);
    }
    if (std::abs(remaining) > 1e-6)
      throw BuilderError("the replicas cannot be divided among the devices");
  }

 private:
  void add(std::vector<double>& placed, const std::vector<std::uint32_t>& spread,
           double remaining) const {
    double weight = 0;
    for (const std::uint32_t c : spread) weight += weighted_[c];
    for (const std::uint32_t c : spread) {
      double value = placed[c] + weighted_[c] * remaining / weight;
      const double low = std::floor(even_[c]);
      const double high = std::ceil(even_[c]);
      if (value < low) {
        value = low;
      } else if (value > high && !crowded_) {
        value = high;
      }
      placed[c] = std::min(value, static_cast<double>(tree_.tiers()[c].weighted_devices));
    }
  }
  std::vector<std::uint32_t> that_can_give(const std::vector<double>& placed) const {
    std::vector<std::uint32_t> out;
    for (const std::uint32_t c : children_) {
      if (placed[c] > std::floor(even_[c])) out.push_back(c);
    }
    return out;
  }
  // When no child has room within an even spread, all that have devices left.
  std::vector<std::uint32_t> that_can_take(const std::vector<double>& placed) {
    std::vector<std::uint32_t> out;
    std::vector<std::uint32_t> any;
    for (const std::uint32_t c : children_) {
      if (placed[c] >= tree_.tiers()[c].weighted_devices) continue;
      any.push_back(c);
      if (placed[c] < std::ceil(even_[c])) out.push_back(c);
    }
    if (!out.empty()) return out;
    crowded_ = true;
    return any;
  }

  const TierTree& tree_;
  const std::vector<double>& weighted_;
  const std::vector<double>& even_;
  double replicas_;
  std::vector<std::uint32_t> children_;
  bool crowded_ = false;
};

double most_overload(const TierTree& tree, const std::vector<double>& weighted,
                     const std::vector<double>& wanted) {
  double out = 0;
  for (std::size_t i = 0; i < tree.size(); ++i) {
    if (tree.tiers()[i].depth == kDeviceDepth && weighted[i] > 0)
      out = std::max(out, (wanted[i] - weighted[i]) / weighted[i]);
  }
  return out;
}

}  // namespace

std::vector<double> weighted_replicas(const TierTree& tree, double replicas) {
  check_device_count(tree, replicas);
  const double weight = tree.tiers().front().weight;
  std::vector<double> out(tree.size());
  std::vector<std::size_t> room;
  double remaining = replicas;
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const Tier& tier = tree.tiers()[i];
    if (tier.depth != kDeviceDepth || tier.weight <= 0) continue;
    out[i] = std::min(1.0, tier.weight * replicas / weight);
    if (out[i] < 1) room.push_back(i);
    remaining -= out[i];
  }
  // What full devices leave over goes to the others, by weight.
  while (remaining >= kNone && !room.empty()) {
    double shares = 0;
    for (const std::size_t i : room) shares += out[i];
    const double growth = remaining / shares + 1;
    for (const std::size_t i : room) {
      const double grown = std::min(1.0, out[i] * growth);
      remaining -= grown - out[i];
      out[i] = grown;
    }
    std::erase_if(room, [&](std::size_t i) { return out[i] >= 1; });
  }
  sum_up(tree, out);
  return out;
}

std::vector<double> wanted_replicas(const TierTree& tree, double replicas) {
  const std::vector<double> weighted = weighted_replicas(tree, replicas);
  const std::vector<double> even = even_replicas(tree, replicas, false);
  std::vector<double> out(tree.size());
  out[0] = replicas;
  for (std::uint32_t i = 0; i < tree.size(); ++i) {
    if (tree.tiers()[i].children > 0 && tree.tiers()[i].weighted_devices > 0)
      Division(tree, weighted, even, i, out[i]).into(out);
  }
  return out;
}

double required_overload(const TierTree& tree, double replicas) {
  return most_overload(tree, weighted_replicas(tree, replicas), wanted_replicas(tree, replicas));
}

std::vector<TierPlan> replica_plan(const TierTree& tree, double replicas, double overload) {
  const std::vector<double> weighted = weighted_replicas(tree, replicas);
  const std::vector<double> wanted = wanted_replicas(tree, replicas);
  const double required = most_overload(tree, weighted, wanted);
  const double used = std::min(overload, required);
  std::vector<TierPlan> out(tree.size());
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const double target =
        required > 0 ? (wanted[i] - weighted[i]) / required * used + weighted[i] : wanted[i];
    out[i] = {static_cast<int>(std::floor(target + kNone)), target,
              static_cast<int>(std::ceil(target - kNone))};
  }
  return out;
}

std::vector<int> most_replicas(const TierTree& tree, double replicas) {
  const std::vector<double> even = even_replicas(tree, replicas, true);
  std::vector<int> out(even.size());
  // The cluster itself may have a fraction.
  std::transform(even.begin(), even.end(), out.begin(),
                 [](double value) { return static_cast<int>(std::ceil(value)); });
  return out;
}

}  // namespace apus
