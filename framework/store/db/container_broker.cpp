#include "framework/store/db/container_broker.h"

#include <apus/headers.h>
#include <apus/text.h>

#include <algorithm>

#include "framework/store/db/container_schema.h"
#include "framework/store/db/object_merge.h"

namespace apus {
namespace {

Timestamp moment(const std::string& text) { return Timestamp::parse(text).value_or(Timestamp()); }

void fill_object(const Statement& row, ListingEntry& entry) {
  entry.bytes = row.integer(2);
  entry.content_type = row.text(3);
  entry.hash = row.text(4);
  const auto times = decode_timestamps(row.text(1));
  entry.last_modified = times ? times->meta.isoformat() : "";
  if (entry.content_type.find(';') == std::string::npos) return;
  TypeAndSize type = split_type(entry.content_type);
  entry.content_type = std::move(type.type);
  if (type.swift_bytes) entry.bytes = parse_int(*type.swift_bytes).value_or(entry.bytes);
}

}  // namespace

bool ContainerStat::deleted() const {
  return object_count == 0 && moment(delete_timestamp) > moment(put_timestamp);
}

ContainerBroker::ContainerBroker(BrokerServices services, DatabasePlace place, std::string account,
                                 std::string container, std::string file)
    : Broker(services, std::move(place), std::move(file)),
      account_(std::move(account)),
      container_(std::move(container)) {}

const std::string& ContainerBroker::path() {
  if (account_.empty()) {
    with([&](Database& database) {
      Statement row = database.query("SELECT account, container FROM container_info");
      if (!row.step()) return;
      account_ = row.text(0);
      container_ = row.text(1);
    });
  }
  if (path_.empty()) path_ = account_ + "/" + container_;
  return path_;
}

void ContainerBroker::migrate(Database& database) { migrate_container_tables(database); }

const std::vector<std::string>& ContainerBroker::files() const {
  if (files_ && !files_->empty()) return *files_;
  std::vector<std::string> names;
  services_.disk.list(place_.folder(), names);
  std::erase_if(names, [&](const std::string& name) {
    return !name.starts_with(place_.hash) || !name.ends_with(".db") ||
           (name.size() > place_.hash.size() + 3 && name[place_.hash.size()] != '_');
  });
  std::sort(names.begin(), names.end());
  for (std::string& name : names) name = place_.folder() + "/" + name;
  files_ = std::move(names);
  return *files_;
}

std::string ContainerBroker::file() const {
  if (!fixed_file_.empty() || files().empty()) return Broker::file();
  return files().back();
}

bool ContainerBroker::exists() const {
  return fixed_file_.empty() ? !files().empty() : Broker::exists();
}

bool ContainerBroker::create(const Timestamp& put_timestamp, std::int64_t policy,
                             const std::string& epoch) {
  const std::string put = put_timestamp.internal();
  const auto fill = [&](Database& database) {
    create_container_tables(database);
    database
        .query(
            "INSERT INTO container_info (account, container, created_at, id, put_timestamp, "
            "status_changed_at, storage_policy_index) VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(account_)
        .bind(container_)
        .bind(services_.clock.timestamp().internal())
        .bind(new_id())
        .bind(put)
        .bind(put)
        .bind(policy)
        .step();
    database.query("INSERT INTO policy_stat (storage_policy_index) VALUES (?)").bind(policy).step();
  };
  const bool made = create_file(file_of_epoch(epoch), fill, [&] {
    forget_files();
    return files().empty();
  });
  forget_files();
  return made;
}

std::optional<ContainerStat> ContainerBroker::own_info() {
  commit_pending();
  std::optional<ContainerStat> out;
  with([&](Database& database) {
    Statement row = database.query(
        "SELECT account, container, created_at, put_timestamp, delete_timestamp, status, "
        "status_changed_at, object_count, bytes_used, reported_put_timestamp, "
        "reported_delete_timestamp, reported_object_count, reported_bytes_used, hash, id, "
        "x_container_sync_point1, x_container_sync_point2, storage_policy_index, metadata "
        "FROM container_stat");
    if (!row.step()) return;
    const auto text = [&](int column) { return std::string(row.text(column)); };
    out = ContainerStat{text(0),         text(1),         text(2),  text(3),
                        text(4),         text(5),         text(6),  row.integer(7),
                        row.integer(8),  text(9),         text(10), row.integer(11),
                        row.integer(12), text(13),        text(14), row.integer(15),
                        row.integer(16), row.integer(17), text(18), ShardingState::kUnsharded};
  });
  if (!out) quarantine("its info row is missing");
  return out;
}

std::optional<ContainerStat> ContainerBroker::info() {
  if (!exists()) return std::nullopt;
  auto out = own_info();
  if (out && fixed_file_.empty()) add_shard_stats(*out);
  return out;
}

bool ContainerBroker::gone() {
  if (!exists()) return true;
  bool alive = false;
  with([&](Database& database) {
    Statement row = database.query("SELECT put_timestamp, delete_timestamp FROM container_info");
    alive = row.step() && moment(std::string(row.text(1))) <= moment(std::string(row.text(0)));
  });
  if (alive) return false;
  const auto stat = info();
  return !stat || stat->deleted();
}

bool ContainerBroker::is_deleted(Database& database) {
  Statement row =
      database.query("SELECT put_timestamp, delete_timestamp, object_count FROM container_stat");
  ContainerStat stat;
  if (!row.step()) return true;
  stat.put_timestamp = row.text(0);
  stat.delete_timestamp = row.text(1);
  stat.object_count = row.integer(2);
  return stat.deleted();
}

bool ContainerBroker::own_file_is_empty() {
  commit_pending();
  bool out = true;
  with([&](Database& database) {
    Statement row = database.query("SELECT max(object_count) FROM policy_stat");
    out = !row.step() || row.integer(0) == 0;
  });
  return out;
}

bool ContainerBroker::empty() {
  if (!own_file_is_empty()) return false;
  bool empty = true;
  on_retiring([&](ContainerBroker& retiring) { empty = retiring.own_file_is_empty(); });
  if (!empty) return false;
  if (!is_root() || !sharding_initiated()) return true;
  std::int64_t objects = 0;
  ShardQuery counted;
  counted.states = {ShardRange::kActive, ShardRange::kSharding, ShardRange::kShrinking};
  for (const ShardRange& range : shard_ranges(counted)) objects += range.object_count;
  return objects <= 0;
}

void ContainerBroker::set_policy(std::int64_t policy, const Timestamp& timestamp) {
  change([&](Database& database) {
    database.query("INSERT OR IGNORE INTO policy_stat (storage_policy_index) VALUES (?)")
        .bind(policy)
        .step();
    database
        .query(
            "UPDATE container_info SET storage_policy_index = ?1, "
            "status_changed_at = max(?2, status_changed_at) WHERE storage_policy_index <> ?1")
        .bind(policy)
        .bind(timestamp.internal())
        .step();
  });
}

void ContainerBroker::set_status_changed_at(const Timestamp& timestamp) {
  with([&](Database& database) {
    database.query("UPDATE container_info SET status_changed_at = ?1 WHERE status_changed_at < ?1")
        .bind(timestamp.internal())
        .step();
  });
}

void ContainerBroker::set_sync_points(std::int64_t point1, std::int64_t point2) {
  with([&](Database& database) {
    database
        .query("UPDATE container_info SET x_container_sync_point1 = ?, x_container_sync_point2 = ?")
        .bind(point1)
        .bind(point2)
        .step();
  });
}

void ContainerBroker::set_reported(const ContainerStat& told) {
  with([&](Database& database) {
    database
        .query(
            "UPDATE container_info SET reported_put_timestamp = ?, reported_delete_timestamp = ?, "
            "reported_object_count = ?, reported_bytes_used = ?")
        .bind(told.put_timestamp)
        .bind(told.delete_timestamp)
        .bind(told.object_count)
        .bind(told.bytes_used)
        .step();
  });
}

void ContainerBroker::on_new_id(Database& database) {
  database.run(
      "UPDATE container_info SET reported_put_timestamp = 0, reported_delete_timestamp = 0, "
      "reported_object_count = 0, reported_bytes_used = 0");
}

bool ContainerBroker::outlives_deletion(std::string_view name) const {
  return same_name(name, "X-Container-Sysmeta-Shard-Quoted-Root") ||
         same_name(name, "X-Container-Sysmeta-Shard-Root");
}

void ContainerBroker::put_object(const ObjectRow& row) { put_pending(row.to_pickle()); }

bool ContainerBroker::is_row(const pickle::Tuple& tuple) const {
  return ObjectRow::from_tuple(tuple).has_value();
}

void ContainerBroker::merge_pending(Database& database, const std::vector<pickle::Ref>& rows) {
  std::vector<ObjectRow> objects;
  for (const pickle::Ref& entry : rows) {
    if (auto row = ObjectRow::from_tuple(std::get<pickle::Tuple>(entry->data)))
      objects.push_back(std::move(*row));
  }
  ObjectMerge(database).run(std::move(objects));
}

void ContainerBroker::merge_objects(std::vector<ObjectRow> rows, const SyncPoint& source) {
  if (rows.empty()) return;
  change([&](Database& database) {
    ObjectMerge(database).run(std::move(rows));
    if (!source.remote_id.empty()) advance_sync_point(database, source, true);
  });
}

void ContainerBroker::merge_rows(std::string_view json, const std::string& source) {
  auto read = read_object_rows(json);
  if (!read) throw BadRow("not a list of object rows");
  SyncPoint point{source, -1};
  if (!source.empty() && !read->rows.empty()) {
    if (!read->last_number) throw BadRow("a row without ROWID");
    point.point = *read->last_number;
  }
  merge_objects(std::move(read->rows), point);
}

void ContainerBroker::list(const ListingQuery& query, std::int64_t policy,
                           const ListingSink& sink) {
  if (on_retiring([&](ContainerBroker& retiring) { retiring.list(query, policy, sink); })) return;
  commit_pending();
  with([&](Database& database) {
    list_names(database, "object", "created_at, size, content_type, etag", query, policy,
               fill_object, sink);
  });
}

bool ContainerBroker::reclaimable(const Timestamp& age) {
  const auto stat = info();
  if (!stat) return false;
  const Timestamp gone = moment(stat->delete_timestamp);
  if (gone >= age || gone <= moment(stat->put_timestamp)) return false;
  if (is_root() && (stat->state == ShardingState::kSharding || !shard_ranges().empty()))
    return false;
  return empty();
}

bool ContainerBroker::has_several_policies() {
  bool out = false;
  with([&](Database& database) {
    Statement row = database.query("SELECT count(*) FROM policy_stat");
    out = row.step() && row.integer(0) > 1;
  });
  return out;
}

std::vector<std::pair<std::int64_t, ObjectRow>> ContainerBroker::misplaced_since(
    std::int64_t start, std::int64_t count) {
  commit_pending();
  std::vector<std::pair<std::int64_t, ObjectRow>> out;
  with([&](Database& database) {
    Statement rows = database.query(
        "SELECT ROWID, name, created_at, size, content_type, etag, deleted, storage_policy_index "
        "FROM object WHERE ROWID > ? AND storage_policy_index != (SELECT storage_policy_index "
        "FROM container_info LIMIT 1) ORDER BY ROWID LIMIT ?");
    rows.bind(start).bind(count);
    while (rows.step()) {
      out.emplace_back(
          rows.integer(0),
          ObjectRow{std::string(rows.text(1)), std::string(rows.text(2)), rows.integer(3),
                    std::string(rows.text(4)), std::string(rows.text(5)), rows.integer(6) != 0,
                    rows.integer(7), "", ""});
    }
  });
  return out;
}

std::int64_t ContainerBroker::reconciler_sync_point() {
  std::int64_t out = -1;
  with([&](Database& database) {
    Statement row = database.query("SELECT reconciler_sync_point FROM container_info");
    if (row.step()) out = row.integer(0);
  });
  return out;
}

void ContainerBroker::set_reconciler_sync_point(std::int64_t point) {
  with([&](Database& database) {
    database.query("UPDATE container_info SET reconciler_sync_point = ?").bind(point).step();
  });
}

Json ContainerBroker::replication_info() {
  const auto stat = info();
  if (!stat) return {};
  Json out;
  for (const auto& [name, value] : std::initializer_list<std::pair<const char*, Json>>{
           {"account", stat->account},
           {"container", stat->container},
           {"created_at", stat->created_at},
           {"put_timestamp", stat->put_timestamp},
           {"delete_timestamp", stat->delete_timestamp},
           {"status", stat->status},
           {"status_changed_at", stat->status_changed_at},
           {"bytes_used", stat->bytes_used},
           {"reported_put_timestamp", stat->reported_put_timestamp},
           {"reported_delete_timestamp", stat->reported_delete_timestamp},
           {"reported_object_count", stat->reported_object_count},
           {"reported_bytes_used", stat->reported_bytes_used},
           {"hash", stat->hash},
           {"id", stat->id},
           {"x_container_sync_point1", stat->sync_point1},
           {"x_container_sync_point2", stat->sync_point2},
           {"storage_policy_index", stat->policy},
           {"db_state", std::string(sharding_state_name(stat->state))},
           {"count", stat->object_count},
           {"metadata", stat->metadata},
           {"max_row", max_row()},
           {"shard_max_row", max_row("shard_range")}}) {
    out.set(name, value);
  }
  return out;
}

}  // namespace apus
