// All account or container databases below a folder of devices, as daemons visit them.
#pragma once

#include <apus/host.h>

#include <functional>
#include <string>
#include <vector>

#include "framework/backend/backend.h"
#include "framework/store/db/broker.h"

namespace apus {

/// One partition's folder on one device.
struct DatabasePartition {
  std::string device;     ///< folder of the device
  std::string directory;  ///< "accounts" or "containers"
  std::string partition;
};

/// Every partition of every device below `root`, in random order. Devices that are not mounted, and
/// must be, are told to `log` and left out.
APUS_API std::vector<DatabasePartition> database_partitions(Host& host, Logger& log,
                                                            const std::string& root,
                                                            const Devices& devices,
                                                            const std::string& directory);

/// Calls `visit` for each place in a partition that has a database file, until it returns false.
APUS_API void visit_databases(Disk& disk, const DatabasePartition& partition,
                              const std::function<bool(const DatabasePlace&)>& visit);

}  // namespace apus
