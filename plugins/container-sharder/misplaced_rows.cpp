#include "plugins/container-sharder/misplaced_rows.h"

#include <algorithm>
#include <map>
#include <optional>

#include "framework/sharding/cleaving_context.h"

namespace apus {
namespace {

using S = ShardRange;

// Moves the rows of one stretch.
class Move {
 public:
  Move(const SharderWork& work, ContainerBroker& broker, ContainerBroker& source,
       std::pair<std::string, std::string> stretch)
      : work_(work),
        broker_(broker),
        source_(source),
        stretch_(std::move(stretch)),
        passed_(stretch_.first),
        root_(broker.root_path()) {
    const auto stat = broker.info();
    policy_ = stat ? stat->policy : 0;
  }

  bool run() {
    const bool copied = copy_rows();
    if (unplaced_ > 0) {
      work_.log.warning("Failed to find destination for at least " + std::to_string(unplaced_) +
                        " misplaced objects in " + SharderWork::name_of(broker_));
    }
    if (!copied) return false;
    bool good = true;
    for (auto& [name, shard] : shards_) good = finish(shard) && good;
    return good && unplaced_ == 0;
  }

  [[nodiscard]] std::int64_t placed() const { return placed_; }
  [[nodiscard]] std::int64_t unplaced() const { return unplaced_; }

 private:
  struct Destination {
    ShardRange range;
    ShardCopy copy;
    // Of the source before its first row for this shard was read: what came later stays there.
    std::string source_id;
    std::int64_t max_row;
    NameStretches copied;  ///< what of the source went to it
  };

  // False when the root does not tell its shards, or a stop was requested in between.
  bool copy_rows() {
    RowQuery query{stretch_.first, stretch_.second, -1, work_.settings.row_batch};
    for (;;) {
      if (work_.stop.stop_requested()) return false;
      const auto stat = source_.info();
      const std::int64_t max_row = source_.max_row();
      const std::vector<ObjectRow> rows = source_.rows_between(query);
      if (rows.empty()) return true;
      if (!know_ranges()) {
        unplaced_ += static_cast<std::int64_t>(rows.size());
        return false;
      }
      place(rows, stat ? stat->id : "", max_row);
      if (ranges_->empty()) return true;  // whatever comes has no place either
      if (static_cast<std::int64_t>(rows.size()) < query.limit) return true;
      query.after = rows.back().name;
    }
  }

  bool know_ranges() {
    if (ranges_) return true;
    ShardQuery own;
    own.marker = stretch_.first;
    // The bound itself is in the stretch.
    own.end_marker = stretch_.second.empty() ? "" : stretch_.second + std::string(1, '\0');
    if (broker_.is_root()) {
      own.states = *shard_states({"updating"});
      ranges_ = broker_.shard_ranges(own);
      return true;
    }
    Query query;
    query.set("states", "updating");
    query.set("marker", own.marker);
    query.set("end_marker", own.end_marker);
    ranges_ = work_.peers.fetch(broker_, std::move(query), false, work_.stop);
    return ranges_.has_value();
  }

  // Runs of rows for one shard are merged at once.
  void place(const std::vector<ObjectRow>& rows, const std::string& id, std::int64_t max_row) {
    for (std::size_t begin = 0; begin < rows.size();) {
      const ShardRange* range = range_of(rows[begin].name);
      std::size_t end = begin + 1;
      while (end < rows.size() && range_of(rows[end].name) == range) ++end;
      const std::vector<ObjectRow> run(rows.begin() + static_cast<std::ptrdiff_t>(begin),
                                       rows.begin() + static_cast<std::ptrdiff_t>(end));
      begin = end;
      Destination* shard = nullptr;
      if (range == nullptr) {
        unplaced_ += static_cast<std::int64_t>(run.size());
      } else if (range->name != source_.path()) {  // else they are right after all
        shard = &destination(*range, id, max_row);
        shard->copy.broker.merge_objects(run);
        placed_ += static_cast<std::int64_t>(run.size());
        if (shard == last_shard_) {
          shard->copied.back().second = run.back().name;
        } else {
          shard->copied.emplace_back(passed_, run.back().name);
        }
      }
      last_shard_ = shard;
      passed_ = run.back().name;
    }
  }

  // Names come in order, and so do ranges by their upper bounds; but ranges may overlap.
  const ShardRange* range_of(const std::string& name) {
    while (first_range_ < ranges_->size() && !(*ranges_)[first_range_].upper.empty() &&
           (*ranges_)[first_range_].upper < name)
      ++first_range_;
    const auto at =
        std::find_if(ranges_->begin() + static_cast<std::ptrdiff_t>(first_range_), ranges_->end(),
                     [&](const ShardRange& range) { return range.contains(name); });
    return at != ranges_->end() ? &*at : nullptr;
  }

  Destination& destination(const ShardRange& range, const std::string& id, std::int64_t max_row) {
    const auto found = shards_.find(range.name);
    if (found != shards_.end()) return found->second;
    ShardCopy copy = work_.shard_copy(range, root_, policy_);
    work_.stats.add("misplaced", copy.made_at.empty() ? "db_exists" : "db_created", 1, true);
    return shards_.emplace(range.name, Destination{range, std::move(copy), id, max_row, {}})
        .first->second;
  }

  bool finish(Destination& shard) {
    const auto done = work_.replicate(shard.copy.broker.place(), shard.copy.device_id);
    if (!done.whole && done.count() < quorum_of(work_.ring->replica_count())) {
      work_.log.warning("Failed to sufficiently replicate misplaced objects: " +
                        SharderWork::name_of(shard.range) + " in " + SharderWork::name_of(broker_) +
                        " (not removing)");
      return false;
    }
    const auto stat = source_.info();
    if (!stat || stat->id != shard.source_id) {
      work_.log.warning("Refused to remove misplaced objects: " +
                        SharderWork::name_of(shard.range) + " in " + SharderWork::name_of(broker_));
      return false;
    }
    for (const auto& [after, upto] : shard.copied) source_.remove_rows(after, upto, shard.max_row);
    return true;
  }

  const SharderWork& work_;
  ContainerBroker& broker_;
  ContainerBroker& source_;
  std::pair<std::string, std::string> stretch_;
  std::string passed_;  ///< the last name that was looked at
  std::string root_;
  std::int64_t policy_ = 0;
  std::optional<std::vector<ShardRange>> ranges_;
  std::size_t first_range_ = 0;  ///< those before it end before the names that come
  std::map<std::string, Destination> shards_;
  Destination* last_shard_ = nullptr;  ///< where the last row went
  std::int64_t placed_ = 0;
  std::int64_t unplaced_ = 0;
};

NameStretches misplaced_stretches(ContainerBroker& broker) {
  const ShardingState state = broker.state();
  if (state == ShardingState::kSharded) return {{"", ""}};  // all its rows belong to shards
  if (state == ShardingState::kSharding) {
    const CleavingContext context = CleavingContext::load(broker);
    if (!context.cursor.empty()) {
      NameStretches out = {{"", context.cursor}};
      const std::string upper = broker.own_shard_range().upper;
      if (!upper.empty()) out.emplace_back(upper, "");
      return out;
    }
  }
  return outside_own_range(broker);
}

}  // namespace

NameStretches outside_own_range(ContainerBroker& broker) {
  const ShardRange own = broker.own_shard_range();
  NameStretches out;
  if (!own.lower.empty()) out.emplace_back("", own.lower);
  if (!own.upper.empty()) out.emplace_back(own.upper, "");
  return out;
}

bool move_misplaced_rows(const SharderWork& work, ContainerBroker& broker) {
  return move_misplaced_rows(work, broker, broker, misplaced_stretches(broker));
}

bool move_misplaced_rows(const SharderWork& work, ContainerBroker& broker, ContainerBroker& source,
                         const NameStretches& stretches) {
  work.stats.add("misplaced", "attempted");
  bool good = true;
  std::int64_t placed = 0;
  std::int64_t unplaced = 0;
  for (const auto& stretch : stretches) {
    Move move(work, broker, source, stretch);
    good = move.run() && good;
    placed += move.placed();
    unplaced += move.unplaced();
  }
  work.stats.add("misplaced", "placed", placed, true);
  work.stats.add("misplaced", "unplaced", unplaced, true);
  if (placed + unplaced > 0) {
    work.stats.add("misplaced", "found", 1, true);
    work.log.debug("Placed " + std::to_string(placed) + " misplaced objects (" +
                   std::to_string(unplaced) + " unplaced)");
  }
  work.stats.add("misplaced", good ? "success" : "failure", 1, true);
  return good;
}

}  // namespace apus
