// Composite rings: several rings side by side, each with its own regions.
#pragma once

#include <string>
#include <vector>

#include "framework/ring/builder_state.h"
#include "framework/ring/ring_file.h"

namespace apus {

/// What a composite remembers of one component.
struct RingComponent {
  std::string id;
  double replicas = 0;
  std::int64_t version = 0;
  std::string file;  ///< its builder's absolute path
};

/// A composite's own file: JSON, as Swift's swift-ring-composer has it.
struct CompositeState {
  std::int64_t version = 0;
  std::vector<RingComponent> components;
};
/// Throws std::runtime_error that names the file.
APUS_API CompositeState read_composite(const std::string& path);
APUS_API void write_composite(const CompositeState& state, const std::string& path);
/// What Swift shows: the JSON, indented and sorted, without what only the file has.
APUS_API std::string composite_text(const CompositeState& state);

/// The components' rows one below the other, ids shifted. Throws BuilderError unless there are two
/// or more of one partition power, with whole replica counts, all rebalanced, and no region,
/// device or builder id in two of them.
APUS_API RingData compose_rings(const std::vector<BuilderState>& builders);

/// Takes the builders as the components of `state`, whose version grows. Throws BuilderError when
/// it had others, or none of them is newer; not with `force`.
APUS_API void update_composite(CompositeState& state, const std::vector<BuilderState>& builders,
                               const std::vector<std::string>& files, bool force);

}  // namespace apus
