// Whether a container's shard ranges fit together; shards learn of theirs from the root.
#pragma once

#include "plugins/container-sharder/sharder_work.h"

namespace apus {

/// False when the container must be left alone; the log tells why. Old cleaving contexts go.
[[nodiscard]] bool audit_container(const SharderWork& work, ContainerBroker& broker);

}  // namespace apus
