#include "framework/ring/dispersion.h"

#include <algorithm>
#include <cmath>

#include "framework/ring/replica_plan.h"

namespace apus {
namespace {

// Counts replicas of one partition at a time.
class Counter {
 public:
  Counter(const BuilderState& state, const TierTree& tree)
      : state_(state),
        tree_(tree),
        most_(most_replicas(tree, state.replicas)),
        here_(tree.size()),
        width_(state.rows.size() + 1),
        graph_(tree.size() * width_) {}

  // How many replicas of the partition are too many, at the depth where it is worst.
  int look_at(std::size_t part) {
    std::array<int, kDeviceDepth + 1> excess{};
    for (const auto& row : state_.rows) {
      for (const std::uint32_t tier : tree_.path(row[part])) ++here_[tier];
    }
    for (const auto& row : state_.rows) {
      for (const std::uint32_t tier : tree_.path(row[part])) {
        const int count = here_[tier];
        if (count == 0) continue;  // seen with another replica
        here_[tier] = 0;
        ++graph_[tier * width_ + static_cast<std::size_t>(count)];
        if (count > most_[tier])
          excess[static_cast<std::size_t>(tree_.tiers()[tier].depth)] += count - most_[tier];
      }
    }
    return *std::max_element(excess.begin(), excess.end());
  }

  DispersionGraph graph() const {
    DispersionGraph out;
    for (std::uint32_t tier = 1; tier < tree_.size(); ++tier) {
      const auto first = graph_.begin() + static_cast<std::ptrdiff_t>(tier * width_);
      std::vector<std::int64_t> counts(first, first + static_cast<std::ptrdiff_t>(width_));
      std::int64_t seen = 0;
      for (const std::int64_t count : counts) seen += count;
      if (seen == 0) continue;
      counts[0] = static_cast<std::int64_t>(state_.parts()) - seen;
      out.emplace(tree_.name(tier), std::move(counts));
    }
    return out;
  }

 private:
  const BuilderState& state_;
  const TierTree& tree_;
  std::vector<int> most_;
  std::vector<int> here_;
  std::size_t width_;
  std::vector<std::int64_t> graph_;
};

std::string tier_name(const TierName& tier, const BuilderState& state) {
  std::string out = "r" + std::to_string(tier.region);
  if (tier.depth >= 2) out += "z" + std::to_string(tier.zone);
  if (tier.depth >= kServerDepth) out += "-" + tier.ip;
  if (tier.depth >= kDeviceDepth) {
    const auto id = static_cast<std::size_t>(tier.device);
    const bool known = tier.device >= 0 && id < state.devices.size() && state.devices[id];
    out += "/" + (known ? state.devices[id]->device : "IDd" + std::to_string(tier.device));
  }
  return out;
}

}  // namespace

void measure_dispersion(BuilderState& state) {
  const TierTree tree(state.devices);
  Counter counter(state, tree);
  std::int64_t at_risk = 0;
  const std::size_t counted = state.rows.empty() ? 0 : state.rows.back().size();
  for (std::size_t part = 0; part < counted; ++part) at_risk += counter.look_at(part);
  state.dispersion_graph = counter.graph();
  state.dispersion =
      100.0 * static_cast<double>(at_risk) / (static_cast<double>(state.parts()) * state.replicas);
}

DispersionReport dispersion_report(const BuilderState& state,
                                   const std::function<bool(const std::string&)>& shown) {
  const TierTree tree(state.devices);
  const std::vector<int> most = most_replicas(tree, state.replicas);
  std::map<TierName, int> most_by_name;
  for (std::uint32_t tier = 1; tier < tree.size(); ++tier)
    most_by_name.emplace(tree.name(tier), most[tier]);
  DispersionReport out;
  for (const auto& [tier, counts] : state.dispersion_graph) {
    TierDispersion line;
    line.name = tier_name(tier, state);
    if (!shown(line.name)) continue;
    const auto found = most_by_name.find(tier);
    line.most = found == most_by_name.end() ? 0 : found->second;
    line.replicas = counts;
    std::int64_t above = 0;
    for (std::size_t n = 1; n < counts.size(); ++n) {
      const auto replicas = static_cast<std::int64_t>(n);
      line.placed += counts[n] * replicas;
      above += counts[n] * std::max<std::int64_t>(0, replicas - line.most);
    }
    if (line.placed > 0)
      line.dispersion = 100.0 * static_cast<double>(above) / static_cast<double>(line.placed);
    if (line.dispersion > out.worst) {
      out.worst = line.dispersion;
      out.worst_tier = line.name;
    }
    out.tiers.push_back(std::move(line));
  }
  return out;
}

}  // namespace apus
