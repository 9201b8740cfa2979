// Which containers are sharded, and the shard ranges that are made for one.
#pragma once

#include <string>
#include <vector>

#include "framework/store/db/container_broker.h"

namespace apus {

/// Sharding was asked for (X-Container-Sysmeta-Sharding), or the container has shard ranges.
APUS_API bool sharding_enabled(ContainerBroker& broker);

/// Active and of at least `threshold` objects.
APUS_API bool is_sharding_candidate(const ShardRange& range, std::int64_t threshold);

/// The active ranges of at least `threshold` objects, turned to sharding at `now`.
APUS_API std::vector<ShardRange> begin_sharding(std::vector<ShardRange> ranges,
                                                std::int64_t threshold, const Timestamp& now);

/// Ranges with names of Swift's form, PREFIX<root account>/ROOT-MD5(parent)-TIMESTAMP-INDEX, all of
/// the moment `now`. `prefix` is ".shards_".
APUS_API std::vector<ShardRange> make_shard_ranges(ContainerBroker& broker,
                                                   const std::vector<FoundRange>& found,
                                                   const std::string& prefix, const Timestamp& now);

}  // namespace apus
