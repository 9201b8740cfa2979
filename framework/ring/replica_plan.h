// How many replicas of each partition every failure domain should hold.
#pragma once

#include <vector>

#include "framework/ring/tier_tree.h"

namespace apus {

/// For one tier: the replicas of any one partition there (min, max), and their mean (target).
struct TierPlan {
  int min = 0;
  double target = 0;
  int max = 0;
};

/// All by tier of the tree. Replicas are of one partition, as fractions. Tiers without weight get
/// nothing. All throw BuilderError when there are fewer devices with weight than replicas.

/// By weight alone; no device more than one.
APUS_API std::vector<double> weighted_replicas(const TierTree& tree, double replicas);
/// As far apart as can be, then by weight.
APUS_API std::vector<double> wanted_replicas(const TierTree& tree, double replicas);
/// The smallest overload that lets every tier have what wanted_replicas says.
APUS_API double required_overload(const TierTree& tree, double replicas);
/// From the first towards the second as far as `overload` (0.1: a device may take 10 % more than
/// its share) allows.
APUS_API std::vector<TierPlan> replica_plan(const TierTree& tree, double replicas, double overload);

/// The most replicas of one partition that a tier holds when they are spread evenly: whole numbers.
APUS_API std::vector<int> most_replicas(const TierTree& tree, double replicas);

/// How many partitions each device (by id) should have, which sum up to int(replicas * parts).
/// Between two whole numbers the one is taken that keeps the worst balance smallest, then the one
/// that moves less.
APUS_API std::vector<std::int64_t> planned_parts(
    const TierTree& tree, const std::vector<TierPlan>& plan, double replicas, std::size_t parts,
    const std::vector<std::optional<BuilderDevice>>& devices);

}  // namespace apus
