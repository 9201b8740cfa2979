#include "framework/store/db/container_schema.h"

#include <string>

namespace apus {
namespace {

constexpr const char* kObjects = R"sql(
CREATE TABLE object (
  ROWID INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, created_at TEXT, size INTEGER, content_type TEXT,
  etag TEXT, deleted INTEGER DEFAULT 0, storage_policy_index INTEGER DEFAULT 0);
CREATE INDEX ix_object_deleted_name ON object (deleted, name);
CREATE TRIGGER object_update BEFORE UPDATE ON object
BEGIN SELECT RAISE(FAIL, 'UPDATE not allowed; DELETE and INSERT'); END;
)sql";

constexpr const char* kObjectPolicyStat = R"sql(
CREATE TABLE policy_stat (
  storage_policy_index INTEGER PRIMARY KEY, object_count INTEGER DEFAULT 0, bytes_used INTEGER DEFAULT 0);
)sql";

constexpr const char* kInfo = R"sql(
CREATE TABLE container_info (
  account TEXT, container TEXT, created_at TEXT, put_timestamp TEXT DEFAULT '0',
  delete_timestamp TEXT DEFAULT '0', reported_put_timestamp TEXT DEFAULT '0',
  reported_delete_timestamp TEXT DEFAULT '0', reported_object_count INTEGER DEFAULT 0,
  reported_bytes_used INTEGER DEFAULT 0, hash TEXT default '00000000000000000000000000000000',
  id TEXT, status TEXT DEFAULT '', status_changed_at TEXT DEFAULT '0', metadata TEXT DEFAULT '',
  x_container_sync_point1 INTEGER DEFAULT -1, x_container_sync_point2 INTEGER DEFAULT -1,
  storage_policy_index INTEGER DEFAULT 0, reconciler_sync_point INTEGER DEFAULT -1);
)sql";

constexpr const char* kObjectTriggers = R"sql(
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
)sql";

constexpr const char* kView = R"sql(
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
)sql";

constexpr const char* kShardRanges = R"sql(
CREATE TABLE shard_range (
  ROWID INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, timestamp TEXT, lower TEXT, upper TEXT,
  object_count INTEGER DEFAULT 0, bytes_used INTEGER DEFAULT 0, meta_timestamp TEXT, deleted INTEGER DEFAULT 0,
  state INTEGER, state_timestamp TEXT, epoch TEXT, reported INTEGER DEFAULT 0, tombstones INTEGER DEFAULT -1);
CREATE TRIGGER shard_range_update BEFORE UPDATE ON shard_range
BEGIN SELECT RAISE(FAIL, 'UPDATE not allowed; DELETE and INSERT'); END;
)sql";

// What the container_stat table of old held and container_info goes on with.
constexpr const char* kMovedColumns =
    "account, container, created_at, put_timestamp, delete_timestamp, reported_put_timestamp, "
    "reported_object_count, reported_bytes_used, hash, id, status, status_changed_at, metadata, "
    "x_container_sync_point1, x_container_sync_point2";

using Columns = std::set<std::string, std::less<>>;

void add_column(Database& database, const Columns& have, const char* table, const char* column,
                const char* type) {
  if (have.contains(std::string(table) + "." + column)) return;
  const std::string sql =
      std::string("ALTER TABLE ") + table + " ADD COLUMN " + column + " " + type;
  database.run(sql.c_str());
}

// Before policies: container_stat was a table that the object triggers kept.
void add_object_policies(Database& database, const Columns& have) {
  add_column(database, have, "container_stat", "metadata", "TEXT DEFAULT ''");
  add_column(database, have, "container_stat", "x_container_sync_point1", "INTEGER DEFAULT -1");
  add_column(database, have, "container_stat", "x_container_sync_point2", "INTEGER DEFAULT -1");
  database.run(kObjectPolicyStat);
  database.run(
      "INSERT INTO policy_stat (storage_policy_index, object_count, bytes_used) "
      "SELECT 0, object_count, bytes_used FROM container_stat;"
      "ALTER TABLE object ADD COLUMN storage_policy_index INTEGER DEFAULT 0;"
      "DROP TRIGGER IF EXISTS object_insert; DROP TRIGGER IF EXISTS object_delete");
  database.run(kObjectTriggers);
  database.run(kInfo);
  const std::string move = std::string("INSERT INTO container_info (") + kMovedColumns +
                           ") SELECT " + kMovedColumns + " FROM container_stat";
  database.run(move.c_str());
  database.run("DROP TABLE container_stat");
  database.run(kView);
}

}  // namespace

void create_container_tables(Database& database) {
  for (const char* sql : {kObjects, kObjectPolicyStat, kInfo, kObjectTriggers, kView, kShardRanges})
    database.run(sql);
}

void migrate_container_tables(Database& database) {
  const auto is_current = [](const Columns& have) {
    return have.contains("object.storage_policy_index") && have.contains("shard_range.reported") &&
           have.contains("shard_range.tombstones");
  };
  if (is_current(database.columns())) return;
  Transaction transaction(database);
  const Columns have = database.columns();  // again, now that nobody else changes them
  if (is_current(have) || !have.contains("object.")) return;
  if (!have.contains("object.storage_policy_index")) add_object_policies(database, have);
  if (have.contains("shard_range.")) {
    add_column(database, have, "shard_range", "reported", "INTEGER DEFAULT 0");
    add_column(database, have, "shard_range", "tombstones", "INTEGER DEFAULT -1");
  } else {
    database.run(kShardRanges);
  }
  transaction.commit();
}

}  // namespace apus
