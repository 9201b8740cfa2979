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
  /// The whole of the other range lies in this one.
  [[nodiscard]] bool includes(const ShardRange& other) const;
  /// Some name lies in both.
  [[nodiscard]] bool overlaps(const ShardRange& other) const;
  /// The pieces of `name`.
  [[nodiscard]] std::string account() const;
  [[nodiscard]] std::string container() const;
  /// The first text behind the range; empty = there is none.
  [[nodiscard]] std::string end_marker() const;
  /// Objects and known tombstones.
  [[nodiscard]] std::int64_t row_count() const;

  // Changes, each of which takes `reported` back when it changes what was told.
  /// With `when` set (an internal timestamp), the state's timestamp is set too. False when nothing
  /// changed.
  bool update_state(std::int64_t new_state, const std::string& when = "");
  void update_numbers(std::int64_t objects, std::int64_t bytes, const Timestamp& now);
  /// A negative number changes the timestamp alone.
  void update_tombstones(std::int64_t count, const Timestamp& now);
  /// False when it was deleted.
  bool mark_deleted(const Timestamp& now);
  /// Takes in the bounds of `others`. False when they lie inside.
  bool expand(const std::vector<ShardRange>& others);
};

/// By upper bound (open last), state, lower bound, name.
APUS_API bool shard_order(const ShardRange& a, const ShardRange& b);
/// `upper` bounds compared; empty is the largest.
APUS_API bool upper_less(std::string_view a, std::string_view b);

/// A lower bound compared with an upper one: some name may lie between them.
APUS_API bool lower_less(std::string_view lower, std::string_view upper);
/// "found", "active" and so on; empty for no state.
APUS_API std::string_view shard_state_name(std::int64_t state);

/// Completes `incoming` with what of `stored` is newer. True when `incoming` brings something new.
APUS_API bool merge_shard_range(ShardRange& incoming, const ShardRange& stored);

/// Names, numbers and the aliases listing, updating and auditing. Nothing when one is unknown.
APUS_API std::optional<std::set<std::int64_t>> shard_states(const std::vector<std::string>& names);

}  // namespace apus
