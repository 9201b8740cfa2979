// Cleaving: the rows of a retiring database go to its shards, range by range.
#pragma once

#include "plugins/container-sharder/sharder_work.h"

namespace apus {

/// Goes on with a container in sharding state, a bounded number of ranges. True when all names are
/// cleaved, and all rows that lay in the wrong place are moved.
[[nodiscard]] bool cleave(const SharderWork& work, ContainerBroker& broker);

/// Ends the sharding of a container that is cleaved: its shards become active and its retiring
/// database goes. False when rows came in between: these are cleaved next.
[[nodiscard]] bool complete_sharding(const SharderWork& work, ContainerBroker& broker);

}  // namespace apus
