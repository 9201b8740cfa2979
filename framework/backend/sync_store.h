// The folder of links by which the sync daemon finds the containers that are synced.
#pragma once

#include <apus/disk.h>
#include <apus/log.h>

#include "framework/store/db/container_broker.h"

namespace apus {

/// Links or unlinks the database under DEVICE/sync_containers, as its metadata says. Failures are
/// logged.
APUS_API void update_sync_store(Disk& disk, Logger& log, ContainerBroker& broker);

}  // namespace apus
