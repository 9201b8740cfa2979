#include "framework/sharding/shard_plan.h"

#include <apus/digest.h>
#include <apus/text.h>

namespace apus {

bool sharding_enabled(ContainerBroker& broker) {
  const DatabaseMetadata all = broker.metadata();
  const auto asked = all.find("X-Container-Sysmeta-Sharding");
  if (asked != all.end() && is_true(asked->second.first)) return true;
  return !broker.shard_ranges().empty();  // a deleted container has lost its metadata
}

bool is_sharding_candidate(const ShardRange& range, std::int64_t threshold) {
  return range.state == ShardRange::kActive && range.object_count >= threshold;
}

std::vector<ShardRange> begin_sharding(std::vector<ShardRange> ranges, std::int64_t threshold,
                                       const Timestamp& now) {
  std::erase_if(ranges,
                [&](const ShardRange& range) { return !is_sharding_candidate(range, threshold); });
  for (ShardRange& range : ranges) {
    range.update_state(ShardRange::kSharding, now.internal());
    range.epoch = range.state_timestamp;
  }
  return ranges;
}

std::vector<ShardRange> make_shard_ranges(ContainerBroker& broker,
                                          const std::vector<FoundRange>& found,
                                          const std::string& prefix, const Timestamp& now) {
  const std::string root = broker.root_path();
  const std::string& own = broker.path();
  const std::string stem =
      prefix + root + "-" + md5_hex(own.substr(own.find('/') + 1)) + "-" + now.internal();
  std::vector<ShardRange> out;
  for (const FoundRange& one : found) {
    ShardRange range;
    range.name = stem + "-" + std::to_string(one.index);
    range.timestamp = range.meta_timestamp = range.state_timestamp = now.internal();
    range.lower = one.lower;
    range.upper = one.upper;
    range.object_count = one.object_count;
    out.push_back(std::move(range));
  }
  return out;
}

}  // namespace apus
