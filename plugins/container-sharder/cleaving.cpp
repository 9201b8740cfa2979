#include "plugins/container-sharder/cleaving.h"

#include <algorithm>

#include "framework/sharding/cleaving_context.h"
#include "plugins/container-sharder/misplaced_rows.h"

namespace apus {
namespace {

using S = ShardRange;

bool is_shrinking(const ShardRange& range) {
  return range.state == S::kShrinking || range.state == S::kShrunk;
}

// Cleaves one range.
class RangeCleaving {
 public:
  enum class Result : std::uint8_t { kDone, kFailed, kNothingThere };

  RangeCleaving(const SharderWork& work, ContainerBroker& broker, CleavingContext& context,
                ShardRange& range, ShardRange& own)
      : work_(work),
        broker_(broker),
        context_(context),
        range_(range),
        own_(own),
        source_(broker.oldest()) {}

  Result run() {
    work_.log.info(
        "Cleaving '" + SharderWork::name_of(broker_) + "' from row " +
        (context_.last_cleave_to_row ? std::to_string(*context_.last_cleave_to_row) : "None") +
        " into " + SharderWork::name_of(range_));
    work_.stats.add("cleaved", "attempted");
    const auto stat = source_.info();
    if (!stat) return Result::kFailed;
    ShardCopy copy = work_.shard_copy(range_, broker_.root_path(), stat->policy);
    work_.stats.add("cleaved", copy.made_at.empty() ? "db_exists" : "db_created", 1, true);
    const double begin = work_.seconds();
    bool nothing_there = false;
    if (!copy_rows(copy, stat->id, nothing_there)) return Result::kFailed;
    const std::int64_t quorum = tell_state(copy.broker);
    if (nothing_there) {
      work_.remove(copy.broker.place());
    } else if (!replicate(copy, quorum, begin)) {
      return Result::kFailed;
    }
    broker_.merge_shard_ranges({range_});
    context_.range_done(range_.upper);
    if (!upper_less(range_.upper, own_.upper)) context_.cleaving_done = true;
    context_.store(broker_);
    return nothing_there ? Result::kNothingThere : Result::kDone;
  }

 private:
  // Rows that an earlier try, or another copy of the container, brought there are passed over.
  // False when a stop was requested in between.
  bool copy_rows(ShardCopy& copy, const std::string& source_id, bool& nothing_there) {
    const std::int64_t max_row = source_.max_row();
    const std::int64_t known = copy.broker.sync_point(source_id);
    if (known >= max_row && max_row != -1) {
      work_.log.debug("Cleaving '" + SharderWork::name_of(broker_) +
                      "': " + SharderWork::name_of(range_) + " - shard db already in sync");
      return true;
    }
    RowQuery query{range_.lower, range_.upper,
                   std::max(context_.last_cleave_to_row.value_or(-1), known),
                   work_.settings.row_batch};
    bool any = false;
    for (;;) {
      if (work_.stop.stop_requested()) return false;
      const std::vector<ObjectRow> rows = source_.rows_between(query);
      copy.broker.merge_objects(rows);
      any = any || !rows.empty();
      if (static_cast<std::int64_t>(rows.size()) < query.limit) break;
      query.after = rows.back().name;
    }
    if (!any) {
      work_.log.info("Cleaving '" + SharderWork::name_of(broker_) +
                     "': " + SharderWork::name_of(range_) + " - zero objects found");
      // What was there before may hold something of another's.
      const auto stat = copy.broker.info();
      nothing_there = !copy.made_at.empty() && stat && stat->put_timestamp == copy.made_at;
    }
    // All rows up to the one that was the newest before the first was read.
    std::vector<SyncPoint> points = source_.sync_points();
    points.push_back({source_id, max_row});
    copy.broker.merge_sync_points(points);
    return true;
  }

  // What the shard's database says of ranges now; how many copies it must have.
  std::int64_t tell_state(ContainerBroker& shard) {
    const double replicas = work_.ring->replica_count();
    if (is_shrinking(own_)) {
      // The one shard that takes all in tells the root of its wider bounds and of our end at once:
      // so listings miss nothing in between.
      if (range_.includes(own_)) {
        if (own_.update_state(S::kShrunk)) {
          own_.mark_deleted(work_.now());
          broker_.merge_shard_ranges({own_});
        }
        shard.merge_shard_ranges({own_});
      }
      return work_.settings.quorum_of_existing(replicas);
    }
    if (range_.state != S::kCreated) return work_.settings.quorum_of_existing(replicas);
    if (const auto stat = shard.info())
      range_.update_numbers(stat->object_count, stat->bytes_used, work_.now());
    range_.update_state(S::kCleaved);
    shard.merge_shard_ranges({range_});
    return work_.settings.quorum_of_new(replicas);
  }

  bool replicate(const ShardCopy& copy, std::int64_t quorum, double begin) {
    work_.log.info("Replicating new shard container " + SharderWork::name_of(range_));
    const auto done = work_.replicate(copy.broker.place(), copy.device_id);
    if (!done.whole && (done.successes.empty() || done.count() < quorum)) {
      work_.log.warning("Failed to sufficiently replicate cleaved shard " +
                        SharderWork::name_of(range_) + " for " + SharderWork::name_of(broker_) +
                        ": " + std::to_string(done.count()) + " successes, " +
                        std::to_string(quorum) + " required.");
      work_.stats.add("cleaved", "failure", 1, true);
      return false;
    }
    const double seconds = work_.seconds() - begin;
    work_.stats.time("cleaved", seconds);
    work_.stats.add("cleaved", "success", 1, true);
    work_.log.info("Cleaved " + SharderWork::name_of(broker_) + " for shard range " +
                   SharderWork::name_of(range_) + " in " + std::to_string(seconds) + "s.");
    return true;
  }

  const SharderWork& work_;
  ContainerBroker& broker_;
  CleavingContext& context_;
  ShardRange& range_;
  ShardRange& own_;
  ContainerBroker source_;
};

// Behind what is cleaved. Nothing goes into a range that shrinks.
std::vector<ShardRange> ranges_left(ContainerBroker& broker, const CleavingContext& context) {
  ShardQuery behind;
  behind.marker = context.cursor + std::string(1, '\0');
  std::vector<ShardRange> out = broker.shard_ranges(behind);
  std::erase_if(out, [](const ShardRange& range) { return range.state == S::kShrinking; });
  return out;
}

bool is_ready(const ShardRange& range) {
  return range.state == S::kCreated || range.state == S::kCleaved || range.state == S::kActive;
}

void cleave_some(const SharderWork& work, ContainerBroker& broker, CleavingContext& context,
                 ShardRange own) {
  std::int64_t done = 0;
  for (ShardRange& range : ranges_left(broker, context)) {
    if (context.cleaving_done || done >= work.settings.cleave_batch) break;
    if (range.lower > context.cursor) {
      work.log.info("Stopped cleave at gap: '" + context.cursor + "' - '" + range.lower + "'");
      break;
    }
    if (!is_ready(range)) {
      work.log.info("Stopped cleave at unready " + SharderWork::name_of(range));
      break;
    }
    using Result = RangeCleaving::Result;
    const Result result = RangeCleaving(work, broker, context, range, own).run();
    if (result == Result::kFailed) break;
    if (result == Result::kDone) ++done;
  }
}

}  // namespace

bool cleave(const SharderWork& work, ContainerBroker& broker) {
  if (broker.state() == ShardingState::kSharded) return true;
  CleavingContext context = CleavingContext::load(broker);
  if (!context.misplaced_done) {
    // In the retiring database: rows that are out of place there have no shard to be cleaved into.
    ContainerBroker retiring = broker.oldest();
    context.misplaced_done = move_misplaced_rows(work, broker, retiring, outside_own_range(broker));
    context.store(broker);
  }
  if (context.cleaving_done) return context.misplaced_done;
  const auto own = broker.stored_own_range();
  if (!own) {
    work.log.warning("Failed to get own_shard_range for " + SharderWork::name_of(broker));
    return false;
  }
  if (context.cursor.empty()) {
    context.start();
    context.cursor = own->lower;
  }
  context.ranges_todo = static_cast<std::int64_t>(ranges_left(broker, context).size());
  cleave_some(work, broker, context, broker.measured(*own));
  context.store(broker);
  return context.misplaced_done && context.cleaving_done;
}

bool complete_sharding(const SharderWork& work, ContainerBroker& broker) {
  CleavingContext context = CleavingContext::load(broker);
  if (!context.done()) {
    work.log.warning("Repeat cleaving required for '" + broker.oldest().file() +
                     "' with context: " + context.to_json().dump());
    context.reset();
    context.store(broker);
    return false;
  }
  auto own = broker.stored_own_range();
  if (!own) {
    work.log.warning("Failed to get own_shard_range for " + SharderWork::name_of(broker));
    return false;
  }
  const Timestamp now = work.now();
  own->update_numbers(0, 0, now);
  std::vector<ShardRange> changed;
  if (is_shrinking(*own)) {
    own->update_state(S::kShrunk);
  } else {
    own->update_state(S::kSharded);
    ShardQuery cleaved;
    cleaved.states = {S::kCleaved};
    changed = broker.shard_ranges(cleaved);
    for (ShardRange& range : changed) range.update_state(S::kActive);
  }
  if (!broker.is_root() && !own->deleted) {
    own->deleted = true;
    own->timestamp = own->meta_timestamp = own->state_timestamp = now.internal();
  }
  changed.push_back(std::move(*own));
  broker.merge_shard_ranges(std::move(changed));
  return broker.set_sharded_state(*context.max_row);
}

}  // namespace apus
