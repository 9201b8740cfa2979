// Rows of containers, taken away at their servers without a look at the objects.
#pragma once

#include <apus/host.h>
#include <apus/transport.h>

#include <string>

namespace apus {

/// Sends DELETE of "/account/container/row", with X-Timestamp `when`, to all of the container's
/// servers at their replication addresses. What fails is told in the log's debug lines: whoever
/// works on the row sees it again. Throws std::runtime_error when there is no ring.
APUS_API void delete_row(Host& host, Logger& log, const std::string& account,
                         const std::string& container, const std::string& row,
                         const Timestamp& when, const Deadlines& deadlines);

}  // namespace apus
