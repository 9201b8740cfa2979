// How far a retiring database has been cleaved into its shards.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/store/db/container_broker.h"

namespace apus {

/// One database file's progress. It is kept in the newest file of the container, as JSON in the
/// metadata X-Container-Sysmeta-Shard-Context-REF, as Swift keeps it.
struct APUS_API CleavingContext {
  std::string ref;                            ///< id of the retiring file
  std::string cursor;                         ///< upper bound of the last range that was cleaved
  std::optional<std::int64_t> max_row;        ///< newest row of the retiring file
  std::optional<std::int64_t> cleave_to_row;  ///< what max_row was when cleaving began
  std::optional<std::int64_t> last_cleave_to_row;  ///< rows up to this one were cleaved before
  bool cleaving_done = false;
  bool misplaced_done = false;
  std::int64_t ranges_done = 0;
  std::int64_t ranges_todo = 0;

  /// Of the container's retiring file; max_row is the present one.
  static CleavingContext load(ContainerBroker& broker);
  /// All that are kept, each with its timestamp. Those that cannot be read are left out.
  static std::vector<std::pair<CleavingContext, Timestamp>> load_all(ContainerBroker& broker);
  /// Nothing when the text is no such context.
  static std::optional<CleavingContext> from_text(const std::string& text);
  [[nodiscard]] Json to_json() const;
  void store(ContainerBroker& broker) const;
  /// Leaves an empty value, which is reclaimed like any other.
  void remove(ContainerBroker& broker) const;

  /// Again from the first name, but only rows that came since cleaving began.
  void reset();
  void start();
  void range_done(const std::string& upper);
  /// All rows that there are lie in shards.
  [[nodiscard]] bool done() const;
};

}  // namespace apus
