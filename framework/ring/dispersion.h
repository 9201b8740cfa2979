// How far apart the replicas of a ring's partitions are.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "framework/ring/builder_state.h"

namespace apus {

/// Counts replicas by tier into `state.dispersion_graph`, and into `state.dispersion` how many
/// partition replicas (in percent) are closer together than an even spread needs: of each partition
/// those at its worst depth. Like Swift it looks at partitions that have all rows: with a
/// fractional replica count, those of the short row.
APUS_API void measure_dispersion(BuilderState& state);

/// One line of a report.
struct TierDispersion {
  std::string name;  ///< r1z2-10.0.0.1/sda
  std::int64_t placed = 0;
  double dispersion = 0;  ///< percent of `placed` above `most`
  int most = 0;
  std::vector<std::int64_t> replicas;  ///< partitions with 0, 1, ... replicas
};
struct DispersionReport {
  double worst = 0;
  std::string worst_tier;  ///< empty when no tier is above
  std::vector<TierDispersion> tiers;
};
/// From the graph as it is, of the tiers whose name `shown` takes.
APUS_API DispersionReport dispersion_report(const BuilderState& state,
                                            const std::function<bool(const std::string&)>& shown);

}  // namespace apus
