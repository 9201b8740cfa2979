// The options of [container-sharder]: a replicator's, the sizes of shards, and its own.
#pragma once

#include <algorithm>
#include <array>

#include "framework/backend/replicator_options.h"
#include "framework/sharding/sharding_limits.h"

namespace apus {

template <std::size_t... sizes>
constexpr auto joined_options(const std::array<OptionSpec, sizes>&... parts) {
  std::array<OptionSpec, (sizes + ...)> out{};
  auto* at = out.data();
  ((at = std::copy(parts.begin(), parts.end(), at)), ...);
  return out;
}

inline constexpr std::array kOwnSharderOptions = {
    OptionSpec{"auto_shard", OptionType::kBool, "false",
               "look for containers to shard and to shrink; else manage-shard-ranges says which"},
    OptionSpec{"shard_scanner_batch_size", OptionType::kInt, "10",
               "bounds that are looked for in one visit", 1, 1e9},
    OptionSpec{"cleave_batch_size", OptionType::kInt, "2", "shards that are cleaved in one visit",
               1, 1e9},
    OptionSpec{"cleave_row_batch_size", OptionType::kInt, "10000", "rows that are moved at once", 1,
               1e9},
    OptionSpec{"broker_timeout", OptionType::kInt, "60", "seconds to wait for a database's lock", 1,
               86400},
    OptionSpec{"shard_replication_quorum", OptionType::kText, "auto",
               "copies that a new shard must have to be cleaved; auto: a quorum"},
    OptionSpec{"existing_shard_replication_quorum", OptionType::kText, "auto",
               "the same of a shard that there was; auto: as shard_replication_quorum"},
    OptionSpec{"recon_candidates_limit", OptionType::kInt, "5",
               "candidates that recon shows; -1 = all", -1, 1e9},
    OptionSpec{"recon_sharded_timeout", OptionType::kInt, "43200",
               "seconds for which recon shows a container that is sharded", 0, 1e9},
    OptionSpec{"stats_interval", OptionType::kNumber, "3600", "seconds between reports", 0, 1e9},
    OptionSpec{"internal_client_conf_path", OptionType::kText, "/etc/swift/internal-client.conf",
               "conf of the proxy's pipeline through which root containers are read"},
    OptionSpec{"request_tries", OptionType::kInt, "3", "how often such a request is tried", 1, 100},
    OptionSpec{"override_devices", OptionType::kList, nullptr, "one pass over these devices alone"},
    OptionSpec{"override_partitions", OptionType::kList, nullptr,
               "one pass over these partitions alone"},
};

inline constexpr auto kSharderOptions =
    joined_options(replicator_options("6201", "{replication_ip}::container", "5"), kShardingLimits,
                   kOwnSharderOptions);

}  // namespace apus
