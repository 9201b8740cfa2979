// An update for a container server that waits on an object's device: one file of async_pending.
#pragma once

#include <apus/headers.h>
#include <apus/timestamp.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace apus {

/// What Swift's object server queues and its updater reads, and the reverse.
struct APUS_API AsyncPending {
  std::string operation;  ///< PUT or DELETE
  std::string account;    ///< always the root container's, also for shards
  std::string container;
  std::string object;
  Headers headers;                            ///< of the request to send
  std::string container_path;                 ///< "account/container" to send to instead, or empty
  std::vector<std::int64_t> successes;        ///< ids of container ring devices that have it
  std::vector<std::string> redirect_history;  ///< paths it was sent on to already
  std::optional<std::string> db_state;        ///< X-Container-Root-Db-State when it is kept

  /// X-Meta-Timestamp, else X-Timestamp: the one in the file's name.
  [[nodiscard]] std::optional<Timestamp> timestamp() const;
  /// Where it is to be sent: container_path, else "account/container".
  [[nodiscard]] std::string target() const;
  /// The pickle of the file.
  [[nodiscard]] std::string encode() const;
  /// Nothing when it is no such pickle or lacks a field.
  static std::optional<AsyncPending> decode(std::string_view pickle);
};

}  // namespace apus
