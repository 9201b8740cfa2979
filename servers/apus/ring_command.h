// `apus ring`, and Swift's tools for rings under their names.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace apus {

/// What `apus ring` was called with behind "ring"; `program` is how the operator called it.
/// Statuses as Swift's: 0 done, 1 done with a warning or nothing to do, 2 error.
int run_ring(const std::string& program, const std::vector<std::string>& words);

/// Nothing unless argv[0] is swift-ring-builder[-safe], swift-ring-builder-analyzer or
/// swift-ring-composer; else does what it does and gives the exit status. "-safe" lets no two
/// commands work in one folder at a time.
std::optional<int> run_as_ring_tool(const std::vector<std::string>& command_line);

}  // namespace apus
