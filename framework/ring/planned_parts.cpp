#include <algorithm>
#include <cmath>
#include <numeric>

#include "framework/ring/replica_plan.h"

namespace apus {
namespace {

constexpr double kSlack = 1e-6;

struct Bounds {
  std::int64_t low = 0;
  std::int64_t high = 0;
};

// Whole numbers for fractions in a tree, so that each tier has one of the two next to its own
// fraction. Which: for devices, no choice that is off by more than `limit`; the smallest limit that
// works is looked for.
class Rounding {
 public:
  Rounding(const TierTree& tree, const std::vector<TierPlan>& plan, double replicas,
           std::size_t parts)
      : tree_(tree), total_(static_cast<std::int64_t>(replicas * static_cast<double>(parts))) {
    const double weight = tree.tiers().front().weight;
    for (std::size_t i = 0; i < tree.size(); ++i) {
      const double exact = plan[i].target * static_cast<double>(parts);
      next_.push_back({static_cast<std::int64_t>(std::floor(exact + kSlack)),
                       static_cast<std::int64_t>(std::ceil(exact - kSlack))});
      share_.push_back(tree.tiers()[i].weight * replicas * static_cast<double>(parts) / weight);
      fraction_.push_back(exact - std::floor(exact));
    }
    next_[0] = {total_, total_};
  }

  std::vector<std::int64_t> run(const std::vector<std::int64_t>& current) {
    std::vector<double> limits;
    for (std::size_t i = 0; i < tree_.size(); ++i) {
      if (!weighted_device(i)) continue;
      limits.push_back(off(i, next_[i].low));
      limits.push_back(off(i, next_[i].high));
    }
    std::sort(limits.begin(), limits.end());
    const auto found = std::partition_point(limits.begin(), limits.end(),
                                            [&](double limit) { return !fits(limit); });
    if (found == limits.end())
      (void)fits(limits.back());
    else
      (void)fits(*found);
    return hand_out(current);
  }

 private:
  bool weighted_device(std::size_t i) const {
    return tree_.tiers()[i].depth == kDeviceDepth && tree_.tiers()[i].weight > 0;
  }
  double off(std::size_t i, std::int64_t count) const {
    return std::abs(static_cast<double>(count) / share_[i] - 1);
  }

  // Sets bounds_; true when there is a way.
  bool fits(double limit) {
    bounds_.assign(tree_.size(), {});
    bool possible = true;
    for (std::size_t i = tree_.size(); i-- > 0;) {
      Bounds& bounds = bounds_[i];
      if (weighted_device(i)) {
        const bool low = off(i, next_[i].low) <= limit;
        const bool high = off(i, next_[i].high) <= limit;
        possible = possible && (low || high);
        bounds = {low || !high ? next_[i].low : next_[i].high,
                  high || !low ? next_[i].high : next_[i].low};
      } else if (tree_.tiers()[i].weighted_devices > 0) {
        bounds.low = std::max(bounds.low, next_[i].low);
        bounds.high = std::min(bounds.high, next_[i].high);
        possible = possible && bounds.low <= bounds.high;
      }
      if (i > 0) {
        bounds_[tree_.tiers()[i].parent].low += bounds.low;
        bounds_[tree_.tiers()[i].parent].high += bounds.high;
      }
    }
    return possible;
  }

  // Top-down: everyone's low bound, then what is left to those that have it already.
  std::vector<std::int64_t> hand_out(const std::vector<std::int64_t>& current) const {
    std::vector<std::int64_t> out(tree_.size());
    out[0] = total_;
    for (std::size_t i = 0; i < tree_.size(); ++i) {
      const Tier& tier = tree_.tiers()[i];
      if (tier.children == 0 || tier.weighted_devices == 0) continue;
      std::vector<std::uint32_t> children;
      std::int64_t left = out[i];
      for (std::uint32_t c = tier.first_child; c < tier.first_child + tier.children; ++c) {
        if (tree_.tiers()[c].weighted_devices == 0) continue;
        children.push_back(c);
        out[c] = bounds_[c].low;
        left -= out[c];
      }
      const auto gain = [&](std::uint32_t c) {
        return std::clamp(current[c], bounds_[c].low, bounds_[c].high) - bounds_[c].low;
      };
      std::stable_sort(children.begin(), children.end(), [&](std::uint32_t a, std::uint32_t b) {
        return gain(a) != gain(b) ? gain(a) > gain(b) : fraction_[a] > fraction_[b];
      });
      spread(out, children, left);
    }
    return out;
  }
  void spread(std::vector<std::int64_t>& out, const std::vector<std::uint32_t>& children,
              std::int64_t left) const {
    for (const std::uint32_t c : children) {
      const std::int64_t more = std::clamp<std::int64_t>(left, 0, bounds_[c].high - out[c]);
      out[c] += more;
      left -= more;
    }
    // Only where fractions were too close to whole numbers to tell.
    for (std::size_t i = 0; left != 0; i = (i + 1) % children.size()) {
      out[children[i]] += left > 0 ? 1 : -1;
      left += left > 0 ? -1 : 1;
    }
  }

  const TierTree& tree_;
  std::int64_t total_;
  std::vector<Bounds> next_;      ///< the whole numbers around each tier's fraction
  std::vector<double> share_;     ///< what weight alone gives
  std::vector<double> fraction_;  ///< behind the point
  std::vector<Bounds> bounds_;
};

}  // namespace

std::vector<std::int64_t> planned_parts(const TierTree& tree, const std::vector<TierPlan>& plan,
                                        double replicas, std::size_t parts,
                                        const std::vector<std::optional<BuilderDevice>>& devices) {
  std::vector<std::int64_t> current(tree.size());
  for (std::size_t i = tree.size(); i-- > 1;) {
    const Tier& tier = tree.tiers()[i];
    if (tier.depth == kDeviceDepth && tier.weight > 0)
      current[i] = devices[static_cast<std::size_t>(tier.device)]->parts;
    current[tier.parent] += current[i];
  }
  const std::vector<std::int64_t> counts = Rounding(tree, plan, replicas, parts).run(current);
  std::vector<std::int64_t> out(devices.size());
  for (std::size_t i = 0; i < tree.size(); ++i) {
    if (tree.tiers()[i].depth == kDeviceDepth)
      out[static_cast<std::size_t>(tree.tiers()[i].device)] = counts[i];
  }
  return out;
}

}  // namespace apus
