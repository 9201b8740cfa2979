#include "plugins/container-sharder/container_audit.h"

#include <apus/text.h>

#include <algorithm>

#include "framework/sharding/cleaving_context.h"
#include "framework/sharding/shard_paths.h"

namespace apus {
namespace {

using S = ShardRange;

std::string joined(const std::vector<std::string>& texts, const char* separator) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : separator) + text;
  return out;
}

std::string bounds_of(const std::vector<ShardRange>& ranges) {
  std::vector<std::string> out;
  out.reserve(ranges.size());
  for (const ShardRange& range : ranges) out.push_back(range.lower + "-" + range.upper);
  return joined(out, " ");
}

// Ranges that shrink overlap with those that take them in.
std::vector<ShardRange> staying(std::vector<ShardRange> ranges) {
  std::erase_if(ranges, [](const ShardRange& range) { return range.state == S::kShrinking; });
  return ranges;
}

void warn_of_gaps(ContainerBroker& broker, bool sharding, std::vector<std::string>& warnings) {
  // While it is sharding, its last ranges may not have been looked for yet.
  const bool complete = !sharding || broker.state() == ShardingState::kSharded;
  std::vector<std::string> gaps;
  for (const ShardGap& gap : find_shard_gaps(staying(broker.shard_ranges()))) {
    if (complete || !gap.upper.empty()) gaps.push_back(gap.lower + "-" + gap.upper);
  }
  if (!gaps.empty()) warnings.push_back("missing range(s): " + joined(gaps, " "));
}

void warn_of_overlaps(const SharderWork& work, ContainerBroker& broker,
                      std::vector<std::string>& warnings) {
  const std::vector<ShardRange> all = staying(broker.shard_ranges());
  for (const std::int64_t state :
       {S::kFound, S::kCreated, S::kCleaved, S::kActive, S::kSharding, S::kSharded, S::kShrunk}) {
    std::vector<ShardRange> alike = all;
    std::erase_if(alike, [&](const ShardRange& range) { return range.state != state; });
    const auto overlaps = find_shard_overlaps(alike);
    if (overlaps.empty()) continue;
    work.stats.add("audit_root", "has_overlap");
    work.stats.add("audit_root", "num_overlap", static_cast<std::int64_t>(overlaps.size()));
    std::vector<std::string> texts;
    texts.reserve(overlaps.size());
    for (const auto& group : overlaps) texts.push_back(bounds_of(group));
    warnings.push_back("overlapping ranges in state '" + std::string(shard_state_name(state)) +
                       "': " + joined(texts, ", "));
  }
}

bool audit_root(const SharderWork& work, ContainerBroker& broker) {
  work.stats.add("audit_root", "attempted");
  std::vector<std::string> warnings;
  const ShardRange own = broker.own_shard_range();
  if (own.state == S::kSharding || own.state == S::kSharded)
    warn_of_gaps(broker, own.state == S::kSharding, warnings);
  warn_of_overlaps(work, broker, warnings);
  const std::string epoch = broker.file_epoch();
  if (own.epoch.empty() && !epoch.empty())
    warnings.push_back("own_shard_range reset to None should be " + epoch);
  work.stats.add("audit_root", warnings.empty() ? "success" : "failure", 1, true);
  if (warnings.empty()) return true;
  work.log.warning("Audit failed for root " + broker.file() + " (" + SharderWork::name_of(broker) +
                   "): " + joined(warnings, ", "));
  return false;
}

// What the root knows of the shard's stretch of names; nothing, and a warning, when it does not
// say.
std::vector<ShardRange> ask_root(const SharderWork& work, ContainerBroker& broker,
                                 const ShardRange& own, std::vector<std::string>& warnings) {
  Query query;
  query.set("marker", own.lower);
  query.set("end_marker", own.upper);
  query.set("states", "auditing");
  auto told = work.peers.fetch(broker, std::move(query), true, work.stop);
  if (told && !told->empty()) {
    const bool named = std::any_of(told->begin(), told->end(),
                                   [&](const ShardRange& range) { return range.name == own.name; });
    // Some copies of the root may not know of this shard yet.
    if (!named) warnings.emplace_back("root has no matching shard range");
    return std::move(*told);
  }
  if (!own.deleted) warnings.emplace_back("unable to get shard ranges from root");
  return {};
}

// The bounds that the root has for this shard may be wider than ours: it takes in another then.
void learn_from_root(ContainerBroker& broker, std::vector<ShardRange> told,
                     const std::string& own_name) {
  const auto own = std::find_if(told.begin(), told.end(),
                                [&](const ShardRange& range) { return range.name == own_name; });
  if (own == told.end()) return;
  broker.merge_shard_ranges({*own});
  const std::int64_t state = broker.own_shard_range().state;
  if (state != S::kShrinking && state != S::kShrunk) return;
  told.erase(own);  // among the others is the one to shrink into
  broker.merge_shard_ranges(std::move(told));
}

bool audit_shard(const SharderWork& work, ContainerBroker& broker) {
  work.stats.add("audit_shard", "attempted");
  std::vector<std::string> warnings;
  if (!broker.path().starts_with(work.settings.shards_prefix))
    warnings.push_back("account not in shards namespace '" + work.settings.shards_prefix + "'");
  const auto own = broker.stored_own_range();
  std::vector<ShardRange> told;
  if (own) told = ask_root(work, broker, *own, warnings);
  if (!warnings.empty()) {
    work.log.warning("Audit warnings for shard " + broker.file() + " (" +
                     SharderWork::name_of(broker) + "): " + joined(warnings, ", "));
  }
  if (!own) {
    work.log.warning("Audit failed for shard " + broker.file() + " (" +
                     SharderWork::name_of(broker) + ") - skipping: missing own shard range");
    work.stats.add("audit_shard", "failure", 1, true);
    return false;
  }
  learn_from_root(broker, std::move(told), own->name);
  const ShardRange now = broker.own_shard_range();
  const Timestamp old =
      Timestamp::from_seconds(work.host.clock().now() - work.settings.reclaim_age);
  if ((now.state == S::kSharded || now.state == S::kShrunk) && now.deleted &&
      now.timestamp < old.internal() && broker.empty()) {
    broker.mark_deleted(work.now());
    work.log.debug("Deleted shard container " + broker.file() + " (" +
                   SharderWork::name_of(broker) + ")");
  }
  work.stats.add("audit_shard", "success", 1, true);
  return true;
}

void drop_old_contexts(const SharderWork& work, ContainerBroker& broker) {
  const double now = work.host.clock().now();
  for (const auto& [context, when] : CleavingContext::load_all(broker)) {
    const bool finished = context.done() && when.seconds() + work.settings.sharded_timeout < now;
    if (finished || when.seconds() + work.settings.reclaim_age < now) context.remove(broker);
  }
}

}  // namespace

bool audit_container(const SharderWork& work, ContainerBroker& broker) {
  if (broker.gone()) {
    // Its metadata is gone too; but rows may be left in it, which others look for.
    const auto stat = broker.info();
    const Timestamp old =
        Timestamp::from_seconds(work.host.clock().now() - work.settings.reclaim_age);
    if (stat && Timestamp::parse(stat->delete_timestamp).value_or(Timestamp()) < old &&
        !broker.reclaimable(old)) {
      work.log.warning("Reclaimable db stuck waiting for shrinking: " + broker.file() + " (" +
                       SharderWork::name_of(broker) + ")");
    }
    return true;
  }
  drop_old_contexts(work, broker);
  return broker.is_root() ? audit_root(work, broker) : audit_shard(work, broker);
}

}  // namespace apus
