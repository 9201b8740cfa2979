// Container databases as a sharder changes them: their files, bounds that are looked for, rows that
// move.
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <system_error>

#include "framework/store/db/container_broker.h"
#include "framework/store/db/container_schema.h"
#include "framework/store/object/partition.h"

namespace apus {
namespace {

constexpr const char* kShardSysmeta = "X-Container-Sysmeta-Shard-";
constexpr std::int64_t kRemovedAtOnce = 10000;
constexpr const char* kRowColumns =
    "name, created_at, size, content_type, etag, deleted, storage_policy_index";

ObjectRow row_of(const Statement& row) {
  return {std::string(row.text(0)),
          std::string(row.text(1)),
          row.integer(2),
          std::string(row.text(3)),
          std::string(row.text(4)),
          row.integer(5) != 0,
          row.integer(6),
          "",
          ""};
}

bool by_name(const ObjectRow& a, const ObjectRow& b) { return a.name < b.name; }

// Live rows or tombstones alone: each has its part of the index.
std::vector<ObjectRow> rows_in_order(Database& database, const RowQuery& query, bool deleted) {
  std::string sql = std::string("SELECT ") + kRowColumns +
                    " FROM object WHERE deleted = ? AND name > ? AND ROWID > ?";
  if (!query.upto.empty()) sql += " AND name <= ?";
  sql += " ORDER BY name LIMIT ?";
  Statement rows = database.query(sql.c_str());
  rows.bind(std::int64_t{deleted}).bind(query.after).bind(query.since_row);
  if (!query.upto.empty()) rows.bind(query.upto);
  rows.bind(query.limit);
  std::vector<ObjectRow> out;
  while (rows.step()) out.push_back(row_of(rows));
  return out;
}

// The reader goes on behind the last name: no row of it may be missing.
void complete_last_name(Database& database, const RowQuery& query, std::vector<ObjectRow>& rows) {
  const std::string last = rows.back().name;
  std::erase_if(rows, [&](const ObjectRow& row) { return row.name == last; });
  const std::string sql = std::string("SELECT ") + kRowColumns +
                          " FROM object WHERE deleted IN (0, 1) AND name = ? AND ROWID > ?";
  Statement found = database.query(sql.c_str());
  found.bind(last).bind(query.since_row);
  while (found.step()) rows.push_back(row_of(found));
}

}  // namespace

std::string ContainerBroker::file_of_epoch(const std::string& epoch) const {
  if (epoch.empty()) return place_.file();
  const auto when = Timestamp::parse(epoch);
  if (!when) throw std::invalid_argument("'" + epoch + "' is no epoch");
  return place_.folder() + "/" + place_.hash + "_" + when->internal() + ".db";
}

std::string ContainerBroker::file_epoch() const {
  const std::string name = file();
  const std::size_t slash = name.rfind('/') + 1;
  const std::size_t mark = name.find('_', slash);
  if (mark == std::string::npos) return "";
  return name.substr(mark + 1, name.size() - mark - 4);
}

ContainerBroker ContainerBroker::oldest() const {
  const auto& all = files();
  return of_file(all.size() > 1 ? all[all.size() - 2] : file());
}

void ContainerBroker::fill_fresh(Database& database, const ContainerStat& stat) {
  create_container_tables(database);
  database
      .query(
          "INSERT INTO container_info (account, container, created_at, id, put_timestamp, "
          "delete_timestamp, status, status_changed_at, storage_policy_index, metadata) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(stat.account)
      .bind(stat.container)
      .bind(stat.created_at)
      .bind(new_id())
      .bind(stat.put_timestamp)
      .bind(stat.delete_timestamp)
      .bind(stat.status)
      .bind(stat.status_changed_at)
      .bind(stat.policy)
      .bind(metadata_column(metadata()))
      .step();
  database.query("INSERT INTO policy_stat (storage_policy_index) VALUES (?)")
      .bind(stat.policy)
      .step();
  ShardQuery all;
  all.include_deleted = all.include_own = true;
  for (const ShardRange& range : shard_ranges(all)) insert_range(database, range);
  // A peer that knows the present file's rows knows those of the fresh one.
  for (const bool incoming : {true, false}) {
    for (const SyncPoint& point : sync_points(incoming))
      advance_sync_point(database, point, incoming);
  }
  // Row numbers go on where those of the retiring file end.
  if (const std::int64_t last = max_row(); last > 0) {
    database.query("INSERT INTO sqlite_sequence (name, seq) VALUES ('object', ?)")
        .bind(last)
        .step();
  }
}

bool ContainerBroker::set_sharding_state() {
  const auto refuse = [&](const std::string& why) {
    services_.log.warning("Container '" + path() + "' cannot be set to sharding state: " + why);
    return false;
  };
  const ShardRange own = own_shard_range();
  if (own.epoch.empty()) return refuse("missing epoch");
  const ShardingState now = state();
  if (now != ShardingState::kUnsharded)
    return refuse("it is in " + std::string(sharding_state_name(now)) + " state");
  const auto stat = info();
  if (!stat) return refuse("it has no info row");
  const std::vector<std::string> before = files();
  const std::string target = file_of_epoch(own.epoch);
  const bool made = create_file(
      target, [&](Database& database) { fill_fresh(database, *stat); },
      [&] {
        forget_files();
        return files() == before && target > before.back();
      });
  forget_files();
  return made || refuse("another one has changed its files");
}

bool ContainerBroker::set_sharded_state(std::int64_t max_row) {
  const auto refuse = [&](const std::string& why) {
    services_.log.warning("Container '" + path() + "' cannot be set to sharded state: " + why);
    return false;
  };
  const Fd held = take_lock();
  forget_files();
  if (files().size() < 2) return refuse("it has no retiring database");
  const std::string retiring = files()[files().size() - 2];
  if (of_file(retiring).max_row() != max_row) return refuse("new rows came to " + retiring);
  if (services_.disk.unlink(retiring) != 0) {
    const std::string why = std::strerror(errno);
    return refuse("failed to unlink " + retiring + ": " + why);
  }
  sync_folder(services_.disk, place_.folder());
  forget_files();
  return files().size() == 1 || refuse("it still has several database files");
}

std::vector<ObjectRow> ContainerBroker::rows_between(const RowQuery& query) {
  commit_pending();
  std::vector<ObjectRow> out;
  with([&](Database& database) {
    Transaction steady(database, false);
    const std::vector<ObjectRow> live = rows_in_order(database, query, false);
    const std::vector<ObjectRow> gone = rows_in_order(database, query, true);
    std::merge(live.begin(), live.end(), gone.begin(), gone.end(), std::back_inserter(out),
               by_name);
    if (static_cast<std::int64_t>(out.size()) >= query.limit && !out.empty()) {
      out.resize(static_cast<std::size_t>(query.limit));
      complete_last_name(database, query, out);
    }
    steady.commit();
  });
  return out;
}

void ContainerBroker::remove_rows(const std::string& after, const std::string& upto,
                                  std::int64_t max_row) {
  std::string sql =
      "DELETE FROM object WHERE ROWID IN (SELECT ROWID FROM object WHERE deleted IN (0, 1) AND "
      "name > ? AND ROWID <= ?";
  if (!upto.empty()) sql += " AND name <= ?";
  sql += " LIMIT " + std::to_string(kRemovedAtOnce) + ")";
  for (bool more = true; more;) {
    change([&](Database& database) {
      Statement rows = database.query(sql.c_str());
      rows.bind(after).bind(max_row);
      if (!upto.empty()) rows.bind(upto);
      rows.step();
      more = database.changes() > 0;
    });
  }
}

std::int64_t ContainerBroker::tombstone_count() {
  commit_pending();
  std::int64_t out = 0;
  with([&](Database& database) {
    Statement row = database.query("SELECT count(*) FROM object WHERE deleted = 1");
    if (row.step()) out = row.integer(0);
  });
  return out;
}

// The name of the object that is `distance` objects behind `after`.
std::optional<std::string> ContainerBroker::name_at(const std::string& after,
                                                    std::int64_t distance) {
  std::optional<std::string> out;
  with([&](Database& database) {
    Statement row = database.query(
        "SELECT name FROM object WHERE deleted = 0 AND name > ? ORDER BY name LIMIT 1 OFFSET ?");
    if (row.bind(after).bind(distance - 1).step()) out = row.text(0);
  });
  return out;
}

std::vector<FoundRange> ContainerBroker::find_shard_ranges(std::int64_t shard_size,
                                                           std::int64_t minimum_size,
                                                           std::int64_t limit,
                                                           const std::vector<ShardRange>& existing,
                                                           bool& last) {
  last = false;
  minimum_size = std::max<std::int64_t>(minimum_size, 1);
  const auto stat = info();
  const std::int64_t objects = stat ? stat->object_count : 0;
  if (shard_size + minimum_size > objects) return {};
  const ShardRange own = own_shard_range();
  // How many objects lie behind: known while no range has been cleaved.
  std::int64_t passed = 0;
  const bool exact = std::all_of(existing.begin(), existing.end(), [](const ShardRange& range) {
    return range.state == ShardRange::kFound;
  });
  std::string lower = own.lower;
  if (!existing.empty()) {
    if (exact) {
      for (const ShardRange& range : existing) passed += range.object_count;
    }
    if (!upper_less(existing.back().upper, own.upper)) {
      last = true;
      return {};
    }
    lower = existing.back().upper;
  }
  ContainerBroker source = oldest();
  std::vector<FoundRange> out;
  auto index = static_cast<std::int64_t>(existing.size());
  while (limit < 0 || static_cast<std::int64_t>(out.size()) < limit) {
    std::optional<std::string> upper;
    if (passed + shard_size + minimum_size <= objects) upper = source.name_at(lower, shard_size);
    std::int64_t size = shard_size;
    if (!upper || !upper_less(*upper, own.upper)) {
      // What else the container holds, other containers' names too: so the sum stays.
      if (exact && (!upper || *upper != own.upper)) size = objects - passed;
      upper = own.upper;
    }
    out.push_back({index++, lower, *upper, size});
    if (*upper == own.upper) {
      last = true;
      break;
    }
    passed += size;
    lower = *upper;
  }
  return out;
}

std::pair<std::string, std::string> ContainerBroker::sharding_sysmeta(const std::string& name) {
  const DatabaseMetadata all = metadata();
  const auto found = all.find(kShardSysmeta + name);
  return found == all.end() ? std::pair<std::string, std::string>() : found->second;
}

void ContainerBroker::set_sharding_sysmeta(const std::string& name, const std::string& value) {
  Timestamp when = services_.clock.timestamp();
  // The newest holds, also when the clock was set back.
  const auto stored = Timestamp::parse(sharding_sysmeta(name).second);
  if (stored && *stored >= when) when = Timestamp::from_raw(stored->raw() + 1);
  merge_metadata({{kShardSysmeta + name, {value, when.internal()}}});
}

}  // namespace apus
