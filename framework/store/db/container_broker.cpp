#include "framework/store/db/container_broker.h"

#include <apus/text.h>

#include <algorithm>

namespace apus {
namespace {

constexpr const char* kSchema = R"sql(
CREATE TABLE object (
  ROWID INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, created_at TEXT, size INTEGER, content_type TEXT,
  etag TEXT, deleted INTEGER DEFAULT 0, storage_policy_index INTEGER DEFAULT 0);
CREATE INDEX ix_object_deleted_name ON object (deleted, name);
CREATE TRIGGER object_update BEFORE UPDATE ON object
BEGIN SELECT RAISE(FAIL, 'UPDATE not allowed; DELETE and INSERT'); END;
CREATE TABLE policy_stat (
  storage_policy_index INTEGER PRIMARY KEY, object_count INTEGER DEFAULT 0, bytes_used INTEGER DEFAULT 0);
CREATE TABLE container_info (
  account TEXT, container TEXT, created_at TEXT, put_timestamp TEXT DEFAULT '0',
  delete_timestamp TEXT DEFAULT '0', reported_put_timestamp TEXT DEFAULT '0',
  reported_delete_timestamp TEXT DEFAULT '0', reported_object_count INTEGER DEFAULT 0,
  reported_bytes_used INTEGER DEFAULT 0, hash TEXT default '00000000000000000000000000000000',
  id TEXT, status TEXT DEFAULT '', status_changed_at TEXT DEFAULT '0', metadata TEXT DEFAULT '',
  x_container_sync_point1 INTEGER DEFAULT -1, x_container_sync_point2 INTEGER DEFAULT -1,
  storage_policy_index INTEGER DEFAULT 0, reconciler_sync_point INTEGER DEFAULT -1);
CREATE TRIGGER object_insert_policy_stat AFTER INSERT ON object
BEGIN
  UPDATE policy_stat SET object_count = object_count + (1 - new.deleted), bytes_used = bytes_used + new.size
    WHERE storage_policy_index = new.storage_policy_index;
  INSERT INTO policy_stat (storage_policy_index, object_count, bytes_used)
    SELECT new.storage_policy_index, (1 - new.deleted), new.size
    WHERE NOT EXISTS (SELECT changes() AS change FROM policy_stat WHERE change <> 0);
  UPDATE container_info SET hash = chexor(hash, new.name, new.created_at);
END;
CREATE TRIGGER object_delete_policy_stat AFTER DELETE ON object
BEGIN
  UPDATE policy_stat SET object_count = object_count - (1 - old.deleted), bytes_used = bytes_used - old.size
    WHERE storage_policy_index = old.storage_policy_index;
  UPDATE container_info SET hash = chexor(hash, old.name, old.created_at);
END;
CREATE VIEW container_stat AS SELECT
  ci.account, ci.container, ci.created_at, ci.put_timestamp, ci.delete_timestamp, ci.reported_put_timestamp,
  ci.reported_delete_timestamp, ci.reported_object_count, ci.reported_bytes_used, ci.hash, ci.id, ci.status,
  ci.status_changed_at, ci.metadata, ci.x_container_sync_point1, ci.x_container_sync_point2,
  ci.reconciler_sync_point, ci.storage_policy_index,
  coalesce(ps.object_count, 0) AS object_count, coalesce(ps.bytes_used, 0) AS bytes_used
  FROM container_info ci LEFT JOIN policy_stat ps ON ci.storage_policy_index = ps.storage_policy_index;
CREATE TRIGGER container_stat_update INSTEAD OF UPDATE ON container_stat
BEGIN
  UPDATE container_info SET account = NEW.account, container = NEW.container, created_at = NEW.created_at,
    put_timestamp = NEW.put_timestamp, delete_timestamp = NEW.delete_timestamp,
    reported_put_timestamp = NEW.reported_put_timestamp,
    reported_delete_timestamp = NEW.reported_delete_timestamp,
    reported_object_count = NEW.reported_object_count, reported_bytes_used = NEW.reported_bytes_used,
    hash = NEW.hash, id = NEW.id, status = NEW.status, status_changed_at = NEW.status_changed_at,
    metadata = NEW.metadata, x_container_sync_point1 = NEW.x_container_sync_point1,
    x_container_sync_point2 = NEW.x_container_sync_point2, storage_policy_index = NEW.storage_policy_index,
    reconciler_sync_point = NEW.reconciler_sync_point;
END;
CREATE TABLE shard_range (
  ROWID INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, timestamp TEXT, lower TEXT, upper TEXT,
  object_count INTEGER DEFAULT 0, bytes_used INTEGER DEFAULT 0, meta_timestamp TEXT, deleted INTEGER DEFAULT 0,
  state INTEGER, state_timestamp TEXT, epoch TEXT, reported INTEGER DEFAULT 0, tombstones INTEGER DEFAULT -1);
CREATE TRIGGER shard_range_update BEFORE UPDATE ON shard_range
BEGIN SELECT RAISE(FAIL, 'UPDATE not allowed; DELETE and INSERT'); END;
)sql";

struct TypeAndSize {
  std::string type;         ///< without swift_bytes
  std::string swift_bytes;  ///< its value, empty when there is none
};

TypeAndSize split_type(std::string_view text) {
  TypeAndSize out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    const std::string_view piece = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (starts_with_name(trim(piece), "swift_bytes=")) {
      out.swift_bytes = trim(piece).substr(12);
    } else {
      out.type += (out.type.empty() ? "" : ";") + std::string(piece);
    }
  }
  return out;
}

TimestampTriple times_of(const ObjectRow& row) {
  TimestampTriple out = decode_timestamps(row.created_at).value_or(TimestampTriple());
  if (const auto type = Timestamp::parse(row.content_type_timestamp))
    out.content_type = out.meta = *type;
  if (const auto meta = Timestamp::parse(row.meta_timestamp)) out.meta = *meta;
  return out;
}

}  // namespace

std::optional<ObjectRow> merge_rows(const std::optional<ObjectRow>& stored,
                                    const ObjectRow& incoming) {
  const TimestampTriple in = times_of(incoming);
  ObjectRow out = incoming;
  out.content_type_timestamp.clear();
  out.meta_timestamp.clear();
  TypeAndSize type = split_type(incoming.content_type);
  if (!stored) {
    out.created_at = encode_timestamps(in.data, in.content_type, in.meta, false);
    return out;
  }
  const TimestampTriple have = times_of(*stored);
  const bool newer_data = in.data > have.data;
  const bool newer_type = in.content_type > have.content_type;
  const bool newer_meta = in.meta > have.meta;
  if (!newer_data && !newer_type && !newer_meta) return std::nullopt;
  const TypeAndSize stored_type = split_type(stored->content_type);
  if (!newer_data) {
    out.size = stored->size;
    out.etag = stored->etag;
    out.deleted = stored->deleted;
    type.swift_bytes = stored_type.swift_bytes;
  }
  if (!newer_type) type.type = stored_type.type;
  out.content_type =
      type.type + (type.swift_bytes.empty() ? "" : ";swift_bytes=" + type.swift_bytes);
  out.created_at =
      encode_timestamps(std::max(in.data, have.data), std::max(in.content_type, have.content_type),
                        std::max(in.meta, have.meta), false);
  return out;
}

ContainerBroker::ContainerBroker(BrokerServices services, DatabasePlace place, std::string account,
                                 std::string container)
    : Broker(services, std::move(place)),
      account_(std::move(account)),
      container_(std::move(container)) {}

bool ContainerBroker::create(const Timestamp& put_timestamp, std::int64_t policy) {
  const std::string now = services_.clock.timestamp().internal();
  const std::string put = put_timestamp.internal();
  return create_file([&](Database& database) {
    database.run(kSchema);
    database
        .query(
            "INSERT INTO container_info (account, container, created_at, id, put_timestamp, "
            "status_changed_at, "
            "storage_policy_index) VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(account_)
        .bind(container_)
        .bind(now)
        .bind(new_id())
        .bind(put)
        .bind(put)
        .bind(policy)
        .step();
    database.query("INSERT INTO policy_stat (storage_policy_index) VALUES (?)").bind(policy).step();
  });
}

std::optional<ContainerStat> ContainerBroker::info() {
  if (!exists()) return std::nullopt;
  commit_pending(std::chrono::milliseconds(100));
  std::optional<ContainerStat> out;
  with([&](Database& database) {
    Statement row = database.query(
        "SELECT created_at, put_timestamp, delete_timestamp, status_changed_at, object_count, "
        "bytes_used, "
        "storage_policy_index FROM container_stat");
    if (!row.step()) return;
    out = ContainerStat{std::string(row.text(0)),
                        std::string(row.text(1)),
                        std::string(row.text(2)),
                        std::string(row.text(3)),
                        row.integer(4),
                        row.integer(5),
                        row.integer(6)};
  });
  if (!out) quarantine("its info row is missing");
  return out;
}

void ContainerBroker::set_policy(std::int64_t policy, const Timestamp& timestamp) {
  with([&](Database& database) {
    Transaction transaction(database);
    database.query("UPDATE container_info SET storage_policy_index = ?, status_changed_at = ?")
        .bind(policy)
        .bind(timestamp.internal())
        .step();
    database.query("INSERT OR IGNORE INTO policy_stat (storage_policy_index) VALUES (?)")
        .bind(policy)
        .step();
    transaction.commit();
  });
}

void ContainerBroker::put_object(const ObjectRow& row) {
  pickle::Writer writer;
  writer.begin_tuple();
  writer.text(row.name);
  writer.text(row.created_at);
  writer.integer(row.size);
  writer.text(row.content_type);
  writer.text(row.etag);
  writer.integer(row.deleted ? 1 : 0);
  writer.integer(row.policy);
  for (const std::string& when : {row.content_type_timestamp, row.meta_timestamp}) {
    if (when.empty()) {
      writer.none();
    } else {
      writer.text(when);
    }
  }
  writer.end_tuple();
  put_pending(writer.finish(), std::chrono::seconds(10));
}

void ContainerBroker::merge(Database& database, const std::vector<pickle::Ref>& rows) {
  for (const pickle::Ref& entry : rows) {
    const auto& tuple = std::get<pickle::Tuple>(entry->data);
    if (tuple.items.size() < 6) continue;
    ObjectRow row;
    row.name = tuple.text(0);
    row.created_at = tuple.text(1);
    row.size = tuple.number(2);
    row.content_type = tuple.text(3);
    row.etag = tuple.text(4);
    row.deleted = tuple.number(5) != 0;
    row.policy = tuple.number(6);
    row.content_type_timestamp = tuple.text(7);
    row.meta_timestamp = tuple.text(8);
    merge_one(database, row);
  }
}

void ContainerBroker::merge_one(Database& database, const ObjectRow& row) {
  std::optional<ObjectRow> stored;
  {
    Statement found = database.query(
        "SELECT created_at, size, content_type, etag, deleted FROM object "
        "WHERE deleted IN (0, 1) AND name = ? AND storage_policy_index = ?");
    found.bind(row.name).bind(row.policy);
    if (found.step()) {
      stored = ObjectRow{row.name,
                         std::string(found.text(0)),
                         found.integer(1),
                         std::string(found.text(2)),
                         std::string(found.text(3)),
                         found.integer(4) != 0,
                         row.policy,
                         "",
                         ""};
    }
  }
  const auto merged = merge_rows(stored, row);
  if (!merged) return;
  if (stored) {
    database
        .query(
            "DELETE FROM object WHERE deleted IN (0, 1) AND name = ? AND storage_policy_index = ?")
        .bind(row.name)
        .bind(row.policy)
        .step();
  }
  database
      .query(
          "INSERT INTO object (name, created_at, size, content_type, etag, deleted, "
          "storage_policy_index) "
          "VALUES (?, ?, ?, ?, ?, ?, ?)")
      .bind(merged->name)
      .bind(merged->created_at)
      .bind(merged->size)
      .bind(merged->content_type)
      .bind(merged->etag)
      .bind(std::int64_t{merged->deleted})
      .bind(merged->policy)
      .step();
}

std::vector<ListingEntry> ContainerBroker::list(const ListingQuery& query, std::int64_t policy) {
  commit_pending(std::chrono::milliseconds(100));
  std::vector<ListingEntry> out;
  with([&](Database& database) {
    out = list_names(database, "object", "created_at, size, content_type, etag", query, policy,
                     [](const Statement& row, ListingEntry& entry) {
                       entry.bytes = row.integer(2);
                       entry.content_type = row.text(3);
                       entry.hash = row.text(4);
                       if (const auto times = decode_timestamps(row.text(1)))
                         entry.last_modified = times->meta.isoformat();
                       if (entry.content_type.find("swift_bytes") == std::string::npos) return;
                       const TypeAndSize type = split_type(entry.content_type);
                       entry.content_type = type.type;
                       entry.bytes = parse_int(type.swift_bytes).value_or(entry.bytes);
                     });
  });
  return out;
}

}  // namespace apus
