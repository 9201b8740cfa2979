#include "plugins/container-sharder/scanning.h"

#include <apus/text.h>

#include <algorithm>
#include <set>

#include "framework/sharding/shard_paths.h"
#include "framework/sharding/shard_plan.h"

namespace apus {
namespace {

using S = ShardRange;

// Why `found` may not be stored behind `known`; empty when it may.
std::string wrong_with(const ShardRange& own, const std::vector<ShardRange>& known,
                       const std::vector<ShardRange>& found, bool last) {
  ShardRange whole = own;
  if (!known.empty()) whole.lower = known.back().upper;
  if (!last) whole.upper = found.back().upper;
  std::string out;
  for (const std::string& reason : not_contiguous(whole, found))
    out += (out.empty() ? "" : ", ") + reason;
  if (!last && found.back().upper == own.upper) out += "the end came too soon";
  return out;
}

bool overlaps_any(const ShardRange& range, const std::vector<ShardRange>& others) {
  return std::any_of(others.begin(), others.end(), [&](const ShardRange& other) {
    return other.name != range.name && other.overlaps(range);
  });
}

// Of the found ranges those that have no place beside the others.
std::vector<ShardRange> rivals_in(const ShardRange& own, const std::vector<ShardRange>& ranges) {
  std::vector<ShardRange> found;
  std::vector<ShardRange> made;
  for (const ShardRange& range : ranges) {
    if (range.state == S::kFound) found.push_back(range);
    if (range.state == S::kCreated || range.state == S::kCleaved || range.state == S::kActive)
      made.push_back(range);
  }
  std::vector<ShardRange> out;
  std::vector<ShardRange> left;
  for (ShardRange& range : found)
    (overlaps_any(range, made) ? out : left).push_back(std::move(range));
  if (find_shard_overlaps(left).empty()) return out;
  std::vector<ShardPath> paths = find_shard_paths(left);
  ShardRange whole = own;
  if (!made.empty()) whole.lower = made.back().upper;
  rank_shard_paths(paths, whole);
  std::set<std::string> best;
  for (const ShardRange& range : paths.front()) best.insert(range.name);
  for (ShardRange& range : left) {
    if (!best.contains(range.name) && overlaps_any(range, paths.front()))
      out.push_back(std::move(range));
  }
  return out;
}

}  // namespace

std::int64_t find_shard_ranges(const SharderWork& work, ContainerBroker& broker) {
  const ShardRange own = broker.own_shard_range();
  const std::vector<ShardRange> known = broker.shard_ranges();
  if (!known.empty() && !upper_less(known.back().upper, own.upper)) return 0;
  work.log.info("Starting scan for shard ranges on " + SharderWork::name_of(broker));
  work.stats.add("scanned", "attempted");
  const double begin = work.seconds();
  bool last = false;
  const auto bounds = broker.find_shard_ranges(work.settings.limits.rows_per_shard,
                                               work.settings.limits.minimum_shard_size,
                                               work.settings.scanner_batch, known, last);
  if (bounds.empty()) {
    work.log.warning("No shard ranges found");
    work.stats.add("scanned", "failure", 1, true);
    return 0;
  }
  const auto found = make_shard_ranges(broker, bounds, work.settings.shards_prefix, work.now());
  if (const std::string wrong = wrong_with(own, known, found, last); !wrong.empty()) {
    work.log.error("Shard ranges of " + SharderWork::name_of(broker) + " are not stored: " + wrong);
    work.stats.add("scanned", "failure", 1, true);
    return 0;
  }
  const auto count = static_cast<std::int64_t>(found.size());
  broker.merge_shard_ranges(found);
  work.log.info("Completed scan for shard ranges: " + std::to_string(count) + " found");
  work.stats.add("scanned", "found", count);
  work.stats.time("scanned", (work.seconds() - begin) / static_cast<double>(count));
  if (last) work.log.info("Final shard range reached.");
  work.stats.add("scanned", "success", 1, true);
  return count;
}

void take_back_rivals(const SharderWork& work, ContainerBroker& broker) {
  std::vector<ShardRange> rivals = rivals_in(broker.own_shard_range(), broker.shard_ranges());
  if (rivals.empty()) return;
  for (ShardRange& range : rivals) range.mark_deleted(work.now());
  work.log.warning("Took back " + std::to_string(rivals.size()) +
                   " found shard ranges that overlap with others in " +
                   SharderWork::name_of(broker));
  broker.merge_shard_ranges(std::move(rivals));
}

std::int64_t create_shard_containers(const SharderWork& work, ContainerBroker& broker) {
  ShardQuery found;
  found.states = {S::kFound};
  const auto stat = broker.info();
  const std::string root = broker.root_path();
  std::vector<ShardRange> made;
  for (ShardRange& range : broker.shard_ranges(found)) {
    if (work.stop.stop_requested()) break;
    work.stats.add("created", "attempted");
    range.update_state(S::kCreated);
    const bool good = work.peers.send(
        range.name, {range},
        {{"X-Backend-Storage-Policy-Index", std::to_string(stat ? stat->policy : 0)},
         {"X-Container-Sysmeta-Shard-Quoted-Root", quote(root)},
         {"X-Container-Sysmeta-Sharding", "True"},
         {"X-Backend-Auto-Create", "True"}});
    work.stats.add("created", good ? "success" : "failure", 1, true);
    if (!good) {
      work.log.error("PUT of new shard container " + SharderWork::name_of(range) + " failed for " +
                     SharderWork::name_of(broker) + ".");
      break;  // none behind it may be made before it
    }
    made.push_back(std::move(range));
  }
  if (made.empty()) return 0;
  broker.merge_shard_ranges(made);
  if (!broker.is_root()) (void)work.peers.send(root, made);
  work.log.info("Completed creating shard range containers: " + std::to_string(made.size()) +
                " created.");
  return static_cast<std::int64_t>(made.size());
}

}  // namespace apus
