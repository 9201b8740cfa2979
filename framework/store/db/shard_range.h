// Shard ranges: which container holds which stretch of a sharded container's names.
#pragma once

#include <apus/json.h>
#include <apus/timestamp.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace apus {

/// One range: lower < name <= upper, an empty bound is open. Timestamps are internal texts, as the
/// table holds them.
struct APUS_API ShardRange {
  enum State : std::int64_t {
    kFound = 10,
    kCreated = 20,
    kCleaved = 30,
    kActive = 40,
    kShrinking = 50,
    kSharding = 60,
    kSharded = 70,
    kShrunk = 80,
  };

  std::string name;  ///< "account/container" of the shard
  std::string timestamp;
  std::string lower;
  std::string upper;
  std::int64_t object_count = 0;
  std::int64_t bytes_used = 0;
  std::string meta_timestamp;
  bool deleted = false;
  std::int64_t state = kFound;
  std::string state_timestamp;
  std::string epoch;  ///< empty = none
  bool reported = false;
  std::int64_t tombstones = -1;

  /// As peers and the proxy write it. Nothing when a field is missing or not acceptable; `why` says
  /// which.
  static std::optional<ShardRange> from_json(const Json& dict, std::string& why);
  [[nodiscard]] Json to_json() const;

  [[nodiscard]] bool contains(std::string_view object) const;
};

/// By upper bound (open last), state, lower bound, name.
APUS_API bool shard_order(const ShardRange& a, const ShardRange& b);
/// `upper` bounds compared; empty is the largest.
APUS_API bool upper_less(std::string_view a, std::string_view b);

/// Completes `incoming` with what of `stored` is newer. True when `incoming` brings something new.
APUS_API bool merge_shard_range(ShardRange& incoming, const ShardRange& stored);

/// Names, numbers and the aliases listing, updating and auditing. Nothing when one is unknown.
APUS_API std::optional<std::set<std::int64_t>> shard_states(const std::vector<std::string>& names);

}  // namespace apus
