// What a sync daemon did: of one container, and since the last report.
#pragma once

#include <cstdint>

namespace apus {

struct ContainerSyncStats {
  std::int64_t puts = 0;
  std::int64_t deletes = 0;
  std::int64_t bytes = 0;  ///< of the rows that were put
};

struct SyncReport {
  double since = 0;  ///< seconds since 1970
  std::int64_t syncs = 0;
  std::int64_t deletes = 0;
  std::int64_t puts = 0;
  std::int64_t skips = 0;
  std::int64_t failures = 0;
};

}  // namespace apus
