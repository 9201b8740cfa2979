// The folder of links by which the sync daemon finds the containers that are synced.
#pragma once

#include <apus/disk.h>
#include <apus/log.h>

#include "framework/store/db/container_broker.h"

namespace apus {

/// Links or unlinks the database under DEVICE/sync_containers, as its metadata says. Failures are
/// logged.
APUS_API void update_sync_store(Disk& disk, Logger& log, ContainerBroker& broker);

/// Takes away the links to a container's database, at "DEVICE/containers/...": it is not there.
APUS_API void drop_sync_links(Disk& disk, const DatabasePlace& place);

}  // namespace apus
