// Rows of the expirer's queue: which object is to go when.
#pragma once

#include <apus/abi.h>
#include <apus/timestamp.h>

#include <optional>
#include <string>
#include <string_view>

namespace apus {

/// "TIMESTAMP-ACCOUNT/CONTAINER/OBJECT", an object's name in a container of .expiring_objects.
struct ExpiryTask {
  Timestamp when;
  std::string account;
  std::string container;
  std::string object;

  /// "account/container/object".
  [[nodiscard]] std::string target() const { return account + "/" + container + "/" + object; }
};

/// Nothing when the name is no such thing: no number before the first '-', or an empty part.
APUS_API std::optional<ExpiryTask> parse_expiry_task(std::string_view name);

/// The expirer, of `divisor` (1 or more), to which a task falls: Swift's rule over
/// "CONTAINER/TASK".
APUS_API std::int64_t expirer_of(std::string_view container_and_task, std::int64_t divisor);

}  // namespace apus
