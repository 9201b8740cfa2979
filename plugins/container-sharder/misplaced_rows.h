// Rows that lie in a container that is not theirs, and their way to the right shard.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "plugins/container-sharder/sharder_work.h"

namespace apus {

/// Stretches of names, each above its first and up to its second bound; empty = open.
using NameStretches = std::vector<std::pair<std::string, std::string>>;

/// What lies outside of the container's own range.
[[nodiscard]] NameStretches outside_own_range(ContainerBroker& broker);

/// Moves every row that does not belong into the container any more. False when some could not be
/// placed or not be replicated well enough: these stay.
[[nodiscard]] bool move_misplaced_rows(const SharderWork& work, ContainerBroker& broker);
/// The same from another file of the container, in these stretches.
[[nodiscard]] bool move_misplaced_rows(const SharderWork& work, ContainerBroker& broker,
                                       ContainerBroker& source, const NameStretches& stretches);

}  // namespace apus
