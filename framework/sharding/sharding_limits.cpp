#include "framework/sharding/sharding_limits.h"

#include <algorithm>

namespace apus {
namespace {

std::int64_t given_or(const Options& options, const char* name, std::int64_t otherwise) {
  return options.find(name) ? options.integer(name) : otherwise;
}

std::int64_t percent(double share, std::int64_t of) {
  return static_cast<std::int64_t>(share / 100 * static_cast<double>(of));
}

std::string must_be(const char* name, std::int64_t value, const char* relation, const char* other,
                    std::int64_t bound) {
  return std::string(name) + " (" + std::to_string(value) + ") must be " + relation + " " + other +
         " (" + std::to_string(bound) + ")";
}

}  // namespace

ShardingLimits::ShardingLimits(const Options& options)
    : shard_container_threshold(options.integer("shard_container_threshold")),
      rows_per_shard(given_or(options, "rows_per_shard",
                              std::max<std::int64_t>(shard_container_threshold / 2, 1))),
      minimum_shard_size(
          given_or(options, "minimum_shard_size", std::max<std::int64_t>(rows_per_shard / 5, 1))),
      shrink_threshold(
          given_or(options, "shrink_threshold",
                   percent(options.number("shard_shrink_point"), shard_container_threshold))),
      expansion_limit(
          given_or(options, "expansion_limit",
                   percent(options.number("shard_shrink_merge_point"), shard_container_threshold))),
      max_shrinking(options.integer("max_shrinking")),
      max_expanding(options.integer("max_expanding")) {}

std::string ShardingLimits::wrong_sizes() const {
  if (minimum_shard_size <= rows_per_shard) return "";
  return must_be("minimum_shard_size", minimum_shard_size, "<=", "rows_per_shard", rows_per_shard);
}

std::string ShardingLimits::wrong() const {
  if (std::string text = wrong_sizes(); !text.empty()) return text;
  if (shrink_threshold > minimum_shard_size)
    return must_be("shrink_threshold", shrink_threshold, "<=", "minimum_shard_size",
                   minimum_shard_size);
  if (rows_per_shard >= shard_container_threshold)
    return must_be("rows_per_shard", rows_per_shard, "<", "shard_container_threshold",
                   shard_container_threshold);
  if (expansion_limit >= shard_container_threshold)
    return must_be("expansion_limit", expansion_limit, "<", "shard_container_threshold",
                   shard_container_threshold);
  return "";
}

}  // namespace apus
