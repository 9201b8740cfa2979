// Shard ranges as container servers tell them and as they are cached: which part of the names lives
// in which container.
#pragma once

#include <apus/json.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "servers/proxy/controller.h"

namespace apus {

/// Bytes of an answer about shards, at most.
inline constexpr std::size_t kMaxShardBody = 64U << 20U;

/// Names past `lower` up to and with `upper`; an empty bound is none.
struct ShardBounds {
  std::string lower;
  std::string upper;
  std::string account;
  std::string container;

  [[nodiscard]] bool holds(std::string_view name) const {
    return (lower.empty() || name > lower) && (upper.empty() || name <= upper);
  }
  [[nodiscard]] bool ends_before(std::string_view name) const {
    return !upper.empty() && upper < name;
  }
  [[nodiscard]] bool begins_past(std::string_view name) const {
    return !lower.empty() && lower >= name;
  }
  /// The first name past it; empty when there is none.
  [[nodiscard]] std::string end_marker() const {
    return upper.empty() ? std::string() : upper + std::string(1, '\0');
  }
};

/// Nothing when a row lacks a name of the form ACCOUNT/CONTAINER or a bound.
std::optional<ShardBounds> parse_shard_range(const Json& row);
std::optional<std::vector<ShardBounds>> parse_shard_ranges(const Json& rows);

/// The one that holds the name, of ranges in their order; null when none does.
const ShardBounds* find_shard(const std::vector<ShardBounds>& ranges, std::string_view name);

/// The rows that a listing with these parameters (marker, end_marker, includes, reverse) looks at.
Json::Array filter_shard_rows(const Json::Array& rows, const Query& query);

/// "shard-listing/A/C" or "shard-updating/A/C".
std::string shard_cache_key(std::string_view state, const RequestPath& path);

/// A GET of a container with all rights, as the proxy makes it for itself.
Response get_container(const Exchange& exchange, std::string_view account,
                       std::string_view container, Query query, const Headers& internal);

/// Where rows of the object belong: the shard of a container that is sharded or about to be;
/// nothing = the container itself.
std::optional<ShardBounds> update_shard(const Exchange& exchange, const ContainerInfo& info);

}  // namespace apus
