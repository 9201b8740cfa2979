// How large shards shall be: the options of [container-sharder] that its tool reads too.
#pragma once

#include <apus/options.h>

#include <array>
#include <cstdint>
#include <string>

namespace apus {

inline constexpr std::array kShardingLimits = {
    OptionSpec{"shard_container_threshold", OptionType::kInt, "1000000",
               "objects from which on a container is to be sharded", 1, 9e18},
    OptionSpec{"rows_per_shard", OptionType::kInt, nullptr,
               "objects of a new shard; half of shard_container_threshold", 1, 9e18},
    OptionSpec{"minimum_shard_size", OptionType::kInt, nullptr,
               "a last shard of fewer objects becomes part of the one before; a fifth of "
               "rows_per_shard",
               1, 9e18},
    OptionSpec{"shrink_threshold", OptionType::kInt, nullptr,
               "rows below which a shard may go into its neighbor; a tenth of "
               "shard_container_threshold",
               -1, 9e18},
    OptionSpec{"expansion_limit", OptionType::kInt, nullptr,
               "rows that a shard may have once it took in its neighbors; three quarters of "
               "shard_container_threshold",
               -1, 9e18},
    OptionSpec{"shard_shrink_point", OptionType::kNumber, "10",
               "older form of shrink_threshold, in percent", 0, 100},
    OptionSpec{"shard_shrink_merge_point", OptionType::kNumber, "75",
               "older form of expansion_limit, in percent", 0, 100},
    OptionSpec{"max_shrinking", OptionType::kInt, "1",
               "shards that go into one neighbor at once; -1 = any number", -1, 1e9},
    OptionSpec{"max_expanding", OptionType::kInt, "-1",
               "shards that take in neighbors at once; -1 = any number", -1, 1e9},
};

/// Numbers of rows.
struct APUS_API ShardingLimits {
  /// `options` are of a table with kShardingLimits in it.
  explicit ShardingLimits(const Options& options);

  std::int64_t shard_container_threshold;
  std::int64_t rows_per_shard;
  std::int64_t minimum_shard_size;
  std::int64_t shrink_threshold;
  std::int64_t expansion_limit;
  std::int64_t max_shrinking;
  std::int64_t max_expanding;

  /// What does not fit together, as Swift tells it; empty when all does.
  [[nodiscard]] std::string wrong() const;
  /// The same of the two that a search for bounds uses.
  [[nodiscard]] std::string wrong_sizes() const;
};

}  // namespace apus
