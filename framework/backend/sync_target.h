// X-Container-Sync-To: which containers one may be synced to, and where they are.
#pragma once

#include <apus/abi.h>
#include <apus/sync_realms.h>

#include <string>
#include <string_view>
#include <vector>

namespace apus {

struct SyncTarget {
  std::string error;      ///< Swift's 400 text for a value that is not acceptable; else empty
  std::string url;        ///< of the container, without '/' at its end; empty for an empty value
  std::string realm;      ///< in upper case; empty when the value is a URL
  std::string realm_key;  ///< signs requests; empty when the value is a URL
};

/// Reads "//REALM/CLUSTER/ACCOUNT/CONTAINER", or a URL whose host is one of `allowed_hosts`.
APUS_API SyncTarget find_sync_target(std::string_view value,
                                     const std::vector<std::string>& allowed_hosts,
                                     const SyncRealms& realms);

}  // namespace apus
