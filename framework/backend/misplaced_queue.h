// The reconciler's queue: rows of objects that lie in another policy than their container has, kept
// as objects of the account .misplaced_objects (Swift's form).
#pragma once

#include <apus/abi.h>
#include <apus/json.h>
#include <apus/timestamp.h>

#include <cstdint>
#include <optional>
#include <string>

#include "framework/store/db/object_row.h"

namespace apus {

inline constexpr const char* kMisplacedAccount = ".misplaced_objects";

/// One row of the queue.
struct MisplacedObject {
  std::int64_t policy = 0;  ///< where it lies
  std::string account;
  std::string container;
  std::string object;
  bool deleted = false;  ///< what is misplaced is a deletion
  Timestamp timestamp;   ///< of the object's data
  Timestamp recorded;    ///< of the row; later when an operator queued the object again

  /// "/account/container/object".
  [[nodiscard]] std::string path() const { return "/" + account + "/" + container + "/" + object; }
};

/// The container of the queue for what was changed at `when`: its hour, in seconds since 1970.
APUS_API std::string misplaced_container(const Timestamp& when);
/// The same for a row's created_at, by the time of its metadata; "0" when it is none.
APUS_API std::string misplaced_container_of(const ObjectRow& row);
/// What is queued for a row of the container `path` ("account/container"):
/// "POLICY:/account/container/object", of the row's own times.
APUS_API ObjectRow misplaced_entry(const ObjectRow& row, const std::string& path);

/// Reads what a JSON listing of the queue tells of one row. Nothing, with the reason in `why`, when
/// it is no such thing.
APUS_API std::optional<MisplacedObject> parse_misplaced(const Json& listed, std::string& why);

}  // namespace apus
