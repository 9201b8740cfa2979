// Where a sharded container sends the rows of its objects.
#pragma once

#include <apus/message.h>

#include <optional>
#include <string>

namespace apus {

struct Redirect {
  std::string path;     ///< "account/container" of the shard
  Timestamp timestamp;  ///< of its range: the newest redirect holds
};

/// Of a 301: its Location and X-Backend-Redirect-Timestamp. Nothing when either is none.
APUS_API std::optional<Redirect> redirect_of(const Response& response);

}  // namespace apus
