// Container databases as parts of a sharded container.
#include <apus/text.h>

#include <algorithm>

#include "framework/store/db/container_broker.h"

namespace apus {
namespace {

constexpr const char* kColumns =
    "name, timestamp, lower, upper, object_count, bytes_used, meta_timestamp, deleted, state, "
    "state_timestamp, epoch, reported, tombstones";

ShardRange range_of(const Statement& row) {
  const auto text = [&](int column) { return std::string(row.text(column)); };
  ShardRange out{text(0),        text(1),        text(2),  text(3),
                 row.integer(4), row.integer(5), text(6),  row.integer(7) != 0,
                 row.integer(8), text(9),        text(10), row.integer(11) != 0,
                 row.integer(12)};
  if (out.meta_timestamp.empty()) out.meta_timestamp = out.timestamp;
  if (out.state_timestamp.empty()) out.state_timestamp = out.timestamp;
  return out;
}

}  // namespace

std::string_view sharding_state_name(ShardingState state) {
  switch (state) {
    case ShardingState::kNotFound:
      return "not_found";
    case ShardingState::kUnsharded:
      return "unsharded";
    case ShardingState::kSharding:
      return "sharding";
    case ShardingState::kSharded:
      return "sharded";
    case ShardingState::kCollapsed:
      return "collapsed";
  }
  return "";
}

void ContainerBroker::insert_range(Database& database, const ShardRange& range) {
  const std::string sql = std::string("INSERT INTO shard_range (") + kColumns +
                          ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
  Statement row = database.query(sql.c_str());
  row.bind(range.name).bind(range.timestamp).bind(range.lower).bind(range.upper);
  row.bind(range.object_count).bind(range.bytes_used).bind(range.meta_timestamp);
  row.bind(std::int64_t{range.deleted}).bind(range.state).bind(range.state_timestamp);
  if (range.epoch.empty()) {
    row.bind(nullptr);
  } else {
    row.bind(range.epoch);
  }
  row.bind(std::int64_t{range.reported}).bind(range.tombstones).step();
}

ContainerBroker ContainerBroker::of_file(const std::string& file) const {
  return {services_, place_, account_, container_, file};
}

bool ContainerBroker::on_retiring(const std::function<void(ContainerBroker&)>& work) {
  while (fixed_file_.empty() && files().size() > 1) {
    const std::vector<std::string> before = files();
    try {
      ContainerBroker retiring = oldest();
      work(retiring);
      return true;
    } catch (const DatabaseError& error) {
      forget_files();
      if (!error.absent() || files() == before) throw;
    }
  }
  return false;
}

ShardingState ContainerBroker::state() {
  if (files().empty()) return ShardingState::kNotFound;
  if (files().size() > 1) return ShardingState::kSharding;
  const auto epoch = Timestamp::parse(file_epoch());
  if (!epoch) return ShardingState::kUnsharded;
  const auto own = stored_own_range();
  const auto own_epoch = own ? Timestamp::parse(own->epoch) : std::nullopt;
  if (!own_epoch || *own_epoch != *epoch) return ShardingState::kUnsharded;
  return shard_ranges().empty() ? ShardingState::kCollapsed : ShardingState::kSharded;
}

void ContainerBroker::add_shard_stats(ContainerStat& stat) {
  const bool sharding = on_retiring([&](ContainerBroker& retiring) {
    if (const auto old = retiring.own_info()) {
      stat.object_count = old->object_count;
      stat.bytes_used = old->bytes_used;
    }
  });
  stat.state = sharding ? ShardingState::kSharding : state();
  if (stat.state == ShardingState::kSharded && is_root()) {
    stat.object_count = stat.bytes_used = 0;
    ShardQuery counted;
    counted.states = {ShardRange::kActive, ShardRange::kSharding, ShardRange::kShrinking};
    for (const ShardRange& range : shard_ranges(counted)) {
      stat.object_count += range.object_count;
      stat.bytes_used += range.bytes_used;
    }
  }
}

std::vector<ShardRange> ContainerBroker::stored_shard_ranges(const ShardQuery& query) {
  std::string sql = std::string("SELECT ") + kColumns + " FROM shard_range WHERE 1";
  if (!query.include_deleted) sql += " AND deleted = 0";
  if (!query.states.empty()) {
    sql += " AND state IN (";
    for (const std::int64_t state : query.states) sql += std::to_string(state) + ",";
    sql.back() = ')';
  }
  if (!query.include_own) sql += " AND name != ?1";
  if (query.only_own) sql += " AND name = ?1";
  if (!query.includes.empty()) sql += " AND lower < ?2 AND (upper = '' OR upper >= ?2)";
  const bool names_own = !query.include_own || query.only_own;
  if (!names_own && !query.includes.empty()) sql += " AND ?1 != ''";  // so that ?2 has its place
  std::vector<ShardRange> out;
  const std::string own = path();
  with([&](Database& database) {
    Statement rows = database.query(sql.c_str());
    if (names_own || !query.includes.empty()) rows.bind(own);
    if (!query.includes.empty()) rows.bind(query.includes);
    while (rows.step()) out.push_back(range_of(rows));
  });
  std::sort(out.begin(), out.end(), shard_order);
  return out;
}

std::optional<ShardRange> ContainerBroker::stored_own_range() {
  ShardQuery own;
  own.include_own = own.only_own = own.include_deleted = true;
  auto found = stored_shard_ranges(own);
  return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

ShardRange ContainerBroker::measured(ShardRange own) {
  const auto stat = info();
  own.update_numbers(stat ? stat->object_count : 0, stat ? stat->bytes_used : 0,
                     services_.clock.timestamp());
  return own;
}

ShardRange ContainerBroker::own_shard_range() {
  if (auto own = stored_own_range()) return std::move(*own);
  const std::string now = services_.clock.timestamp().internal();
  ShardRange out;
  out.name = path();
  out.timestamp = out.meta_timestamp = out.state_timestamp = now;
  out.state = ShardRange::kActive;
  return out;
}

void ContainerBroker::append_filler(const ShardQuery& /*query*/, const std::string& marker,
                                    const std::string& end_marker,
                                    std::vector<ShardRange>& ranges) {
  ShardRange own = own_shard_range();
  const std::string covered = ranges.empty()
                                  ? std::max(marker.empty() ? own.lower : marker, own.lower)
                                  : ranges.back().upper;
  const std::string needed =
      !end_marker.empty() && upper_less(end_marker, own.upper) ? end_marker : own.upper;
  // The open upper bound of the last range is the largest; that of "no range" is a lower bound.
  const bool reaches =
      ranges.empty() ? (!needed.empty() && needed <= covered) : !upper_less(covered, needed);
  if (reaches) return;
  own = measured(std::move(own));
  own.lower = covered;
  own.upper = needed;
  ranges.push_back(std::move(own));
}

std::vector<ShardRange> ContainerBroker::shard_ranges(const ShardQuery& query) {
  const std::string& marker = query.reverse ? query.end_marker : query.marker;
  const std::string& end_marker = query.reverse ? query.marker : query.end_marker;
  if (!marker.empty() && !end_marker.empty() && marker >= end_marker) return {};
  std::vector<ShardRange> out = stored_shard_ranges(query);
  if (!query.includes.empty()) {
    if (out.size() > 1) out.erase(out.begin() + 1, out.end());
    return out;
  }
  std::erase_if(out, [&](const ShardRange& range) {
    return (!end_marker.empty() && end_marker <= range.lower) ||
           (!marker.empty() && !upper_less(marker, range.upper));
  });
  if (query.fill_gaps) append_filler(query, marker, end_marker, out);
  if (query.reverse) std::reverse(out.begin(), out.end());
  return out;
}

void ContainerBroker::merge_shard_ranges(std::vector<ShardRange> ranges) {
  if (ranges.empty()) return;
  change([&](Database& database) {
    for (ShardRange& range : ranges) {
      std::optional<ShardRange> stored;
      {
        const std::string sql = std::string("SELECT ") + kColumns +
                                " FROM shard_range WHERE deleted IN (0, 1) AND name = ?";
        Statement row = database.query(sql.c_str());
        if (row.bind(range.name).step()) stored = range_of(row);
      }
      if (stored && !merge_shard_range(range, *stored)) continue;
      database.query("DELETE FROM shard_range WHERE deleted IN (0, 1) AND name = ?")
          .bind(range.name)
          .step();
      insert_range(database, range);
    }
  });
}

namespace {

// What the metadata says of the root; empty when nothing.
std::string told_root(const DatabaseMetadata& all) {
  const auto value = [&](const char* name) {
    const auto found = all.find(name);
    return found == all.end() ? std::string() : found->second.first;
  };
  const std::string quoted = value("X-Container-Sysmeta-Shard-Quoted-Root");
  return quoted.empty() ? value("X-Container-Sysmeta-Shard-Root") : unquote(quoted);
}

}  // namespace

std::string ContainerBroker::root_path() {
  std::string told = told_root(metadata());
  return told.empty() ? path() : told;
}

bool ContainerBroker::is_root() {
  const std::string told = told_root(metadata());
  if (!told.empty()) return told == path();
  const auto own = stored_own_range();
  return !own || !own->deleted;
}

bool ContainerBroker::sharding_initiated() {
  const auto own = stored_own_range();
  if (!own || (own->state != ShardRange::kSharding && own->state != ShardRange::kShrinking &&
               own->state != ShardRange::kSharded && own->state != ShardRange::kShrunk))
    return false;
  return !shard_ranges().empty();
}

void ContainerBroker::on_reclaim(Database& database, const Timestamp& sync_age) {
  // The container's own range stays, whatever its age.
  database
      .query(
          "DELETE FROM shard_range WHERE deleted = 1 AND timestamp < ? AND name != "
          "(SELECT account || '/' || container FROM container_info)")
      .bind(sync_age.normal())
      .step();
}

}  // namespace apus
