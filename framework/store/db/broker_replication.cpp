// The half of a broker that peers ask for: sync points, rows by number, timestamps, reclaiming.
#include <algorithm>

#include "framework/store/db/broker.h"

namespace apus {
namespace {

constexpr std::int64_t kReclaimPage = 10000;

std::string sync_table(bool incoming) { return incoming ? "incoming_sync" : "outgoing_sync"; }

void append_value(std::string& out, const Statement& row, int column) {
  switch (row.kind(column)) {
    case Statement::Kind::kNull:
      out += "null";
      break;
    case Statement::Kind::kInteger:
      out += std::to_string(row.integer(column));
      break;
    case Statement::Kind::kText:
      append_json_string(out, row.text(column));
      break;
  }
}

}  // namespace

void Broker::on_new_id(Database& /*database*/) {}
void Broker::on_reclaim(Database& /*database*/, const Timestamp& /*sync_age*/) {}

std::int64_t Broker::max_row(const char* table) {
  std::int64_t out = -1;
  with([&](Database& database) {
    Statement row = database.query("SELECT seq FROM sqlite_sequence WHERE name = ? LIMIT 1");
    row.bind(table != nullptr ? table : row_table());
    if (row.step()) out = row.integer(0);
  });
  return out;
}

std::int64_t Broker::sync_point(const std::string& remote_id, bool incoming) {
  std::int64_t out = -1;
  with([&](Database& database) {
    const std::string sql =
        "SELECT sync_point FROM " + sync_table(incoming) + " WHERE remote_id = ?";
    Statement row = database.query(sql.c_str());
    if (row.bind(remote_id).step()) out = row.integer(0);
  });
  return out;
}

std::vector<SyncPoint> Broker::sync_points(bool incoming) {
  std::vector<SyncPoint> out;
  with([&](Database& database) {
    const std::string sql = "SELECT remote_id, sync_point FROM " + sync_table(incoming);
    Statement rows = database.query(sql.c_str());
    while (rows.step()) out.push_back({std::string(rows.text(0)), rows.integer(1)});
  });
  return out;
}

void Broker::advance_sync_point(Database& database, const SyncPoint& point, bool incoming) {
  const std::string table = sync_table(incoming);
  const std::string update =
      "UPDATE " + table + " SET sync_point = max(?, sync_point) WHERE remote_id = ?";
  database.query(update.c_str()).bind(point.point).bind(point.remote_id).step();
  if (database.changes() > 0) return;
  const std::string insert = "INSERT INTO " + table + " (sync_point, remote_id) VALUES (?, ?)";
  database.query(insert.c_str()).bind(point.point).bind(point.remote_id).step();
}

void Broker::merge_sync_points(const std::vector<SyncPoint>& points, bool incoming) {
  if (points.empty()) return;
  change([&](Database& database) {
    for (const SyncPoint& point : points) advance_sync_point(database, point, incoming);
  });
}

void Broker::take_new_id(const std::string& remote_id) {
  change([&](Database& database) {
    const std::string update = std::string("UPDATE ") + stat_table() + " SET id = ?";
    database.query(update.c_str()).bind(new_id()).step();
    std::int64_t last = -1;
    {
      const std::string newest =
          std::string("SELECT ROWID FROM ") + row_table() + " ORDER BY ROWID DESC LIMIT 1";
      Statement row = database.query(newest.c_str());
      if (row.step()) last = row.integer(0);
    }
    database.query("INSERT OR REPLACE INTO incoming_sync (sync_point, remote_id) VALUES (?, ?)")
        .bind(last)
        .bind(remote_id)
        .step();
    on_new_id(database);
  });
}

void Broker::locked(const std::function<void()>& work) {
  with([&](Database& database) {
    const Transaction transaction(database);
    work();
  });
}

void Broker::merge_timestamps(const std::string& created_at, const std::string& put_timestamp,
                              const std::string& delete_timestamp) {
  change([&](Database& database) {
    const bool was_deleted = is_deleted(database);
    const std::string update = std::string("UPDATE ") + stat_table() +
                               " SET created_at = min(?, created_at), "
                               "put_timestamp = max(?, put_timestamp), "
                               "delete_timestamp = max(?, delete_timestamp)";
    database.query(update.c_str())
        .bind(created_at)
        .bind(put_timestamp)
        .bind(delete_timestamp)
        .step();
    if (is_deleted(database) == was_deleted) return;
    const std::string changed = std::string("UPDATE ") + stat_table() +
                                " SET status_changed_at = ?1 WHERE status_changed_at < ?1";
    database.query(changed.c_str()).bind(services_.clock.timestamp().internal()).step();
  });
}

RowsText Broker::rows_text(std::int64_t start, std::int64_t count) {
  commit_pending();
  RowsText out{"[", -1};
  with([&](Database& database) {
    const bool account = std::string_view(row_table()) == "container";
    const std::vector<const char*> names =
        account ? std::vector<const char*>{"ROWID",         "name",
                                           "put_timestamp", "delete_timestamp",
                                           "object_count",  "bytes_used",
                                           "deleted",       "storage_policy_index"}
                : std::vector<const char*>{
                      "ROWID",        "name", "created_at", "size",
                      "content_type", "etag", "deleted",    "storage_policy_index"};
    std::string sql = "SELECT ";
    for (const char* name : names) sql.append(name).append(name == names.back() ? " " : ", ");
    sql += std::string("FROM ") + row_table() + " WHERE ROWID > ? ORDER BY ROWID LIMIT ?";
    Statement rows = database.query(sql.c_str());
    rows.bind(start).bind(count);
    while (rows.step()) {
      out.json += out.last == -1 ? "{" : ", {";
      for (std::size_t i = 0; i < names.size(); ++i) {
        out.json.append(i == 0 ? "\"" : ", \"").append(names[i]).append("\": ");
        append_value(out.json, rows, static_cast<int>(i));
      }
      out.json += '}';
      out.last = rows.integer(0);
    }
  });
  out.json += ']';
  return out;
}

Json::Array Broker::rows_since(std::int64_t start, std::int64_t count) {
  return *Json::parse(rows_text(start, count).json).value().array();
}

// Pages by name, so that no transaction grows with the table.
void Broker::reclaim_rows(const Timestamp& age) {
  const std::string table = row_table();
  const std::string find = "SELECT name FROM " + table +
                           " WHERE deleted = 1 AND name >= ? ORDER BY name LIMIT 1 OFFSET " +
                           std::to_string(kReclaimPage);
  const std::string remove =
      "DELETE FROM " + table + " WHERE deleted = 1 AND name >= ? AND " + reclaim_column() + " < ?";
  const std::string remove_page = remove + " AND name < ?";
  std::string marker;
  for (bool more = true; more;) {
    change([&](Database& database) {
      std::string end;
      {
        Statement row = database.query(find.c_str());
        if (row.bind(marker).step()) end = row.text(0);
      }
      more = !end.empty();
      Statement rows = database.query(more ? remove_page.c_str() : remove.c_str());
      rows.bind(marker).bind(age.normal());
      if (more) rows.bind(end);
      rows.step();
      marker = end;
    });
  }
}

void Broker::reclaim(const Timestamp& age, const Timestamp& sync_age) {
  commit_pending();
  reclaim_rows(age);
  change([&](Database& database) {
    const bool dated = database.columns().contains("incoming_sync.updated_at");  // not of old
    for (const bool incoming : {true, false}) {
      if (!dated) break;
      const std::string sql = "DELETE FROM " + sync_table(incoming) + " WHERE updated_at < ?";
      database.query(sql.c_str()).bind(sync_age.normal()).step();
    }
    DatabaseMetadata all = read_metadata(database);
    const std::size_t before = all.size();
    std::erase_if(all, [&](const auto& entry) {
      const auto when = Timestamp::parse(entry.second.second);
      return entry.second.first.empty() && when && *when < age;
    });
    if (all.size() != before) write_metadata(database, all);
    on_reclaim(database, sync_age);
  });
}

}  // namespace apus
