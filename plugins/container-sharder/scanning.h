// New shard ranges: found, checked, and made into containers.
#pragma once

#include "plugins/container-sharder/sharder_work.h"

namespace apus {

/// Finds the next bounds of a container that is to be sharded and stores them, unless they do not
/// follow one another from the container's first name on (and, the last of them, to its last). How
/// many were stored.
[[nodiscard]] std::int64_t find_shard_ranges(const SharderWork& work, ContainerBroker& broker);

/// Takes back found ranges, not yet made into containers, that overlap with others: two servers
/// looked for bounds at the same time. Those stay whose containers are made, else those of the best
/// complete sequence.
void take_back_rivals(const SharderWork& work, ContainerBroker& broker);

/// Makes the containers of found ranges, in order, so that they can take rows. How many were made.
[[nodiscard]] std::int64_t create_shard_containers(const SharderWork& work,
                                                   ContainerBroker& broker);

}  // namespace apus
