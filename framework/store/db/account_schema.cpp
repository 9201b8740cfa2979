#include "framework/store/db/account_schema.h"

#include <string>

namespace apus {
namespace {

constexpr const char* kContainers = R"sql(
CREATE TABLE container (
  ROWID INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, put_timestamp TEXT, delete_timestamp TEXT,
  object_count INTEGER, bytes_used INTEGER, deleted INTEGER DEFAULT 0, storage_policy_index INTEGER DEFAULT 0);
CREATE INDEX ix_container_deleted_name ON container (deleted, name);
CREATE TRIGGER container_insert AFTER INSERT ON container
BEGIN
  UPDATE account_stat SET container_count = container_count + (1 - new.deleted),
    object_count = object_count + new.object_count, bytes_used = bytes_used + new.bytes_used,
    hash = chexor(hash, new.name, new.put_timestamp || '-' || new.delete_timestamp || '-' ||
                  new.object_count || '-' || new.bytes_used);
END;
CREATE TRIGGER container_update BEFORE UPDATE ON container
BEGIN SELECT RAISE(FAIL, 'UPDATE not allowed; DELETE and INSERT'); END;
CREATE TRIGGER container_delete AFTER DELETE ON container
BEGIN
  UPDATE account_stat SET container_count = container_count - (1 - old.deleted),
    object_count = object_count - old.object_count, bytes_used = bytes_used - old.bytes_used,
    hash = chexor(hash, old.name, old.put_timestamp || '-' || old.delete_timestamp || '-' ||
                  old.object_count || '-' || old.bytes_used);
END;
)sql";

constexpr const char* kContainerTriggers = R"sql(
CREATE TRIGGER container_insert_ps AFTER INSERT ON container
BEGIN
  INSERT OR IGNORE INTO policy_stat (storage_policy_index, container_count, object_count, bytes_used)
    VALUES (new.storage_policy_index, 0, 0, 0);
  UPDATE policy_stat SET container_count = container_count + (1 - new.deleted),
    object_count = object_count + new.object_count, bytes_used = bytes_used + new.bytes_used
    WHERE storage_policy_index = new.storage_policy_index;
END;
CREATE TRIGGER container_delete_ps AFTER DELETE ON container
BEGIN
  UPDATE policy_stat SET container_count = container_count - (1 - old.deleted),
    object_count = object_count - old.object_count, bytes_used = bytes_used - old.bytes_used
    WHERE storage_policy_index = old.storage_policy_index;
END;
)sql";

constexpr const char* kStat = R"sql(
CREATE TABLE account_stat (
  account TEXT, created_at TEXT, put_timestamp TEXT DEFAULT '0', delete_timestamp TEXT DEFAULT '0',
  container_count INTEGER, object_count INTEGER DEFAULT 0, bytes_used INTEGER DEFAULT 0,
  hash TEXT default '00000000000000000000000000000000', id TEXT, status TEXT DEFAULT '',
  status_changed_at TEXT DEFAULT '0', metadata TEXT DEFAULT '');
)sql";

constexpr const char* kContainerPolicyStat = R"sql(
CREATE TABLE policy_stat (
  storage_policy_index INTEGER PRIMARY KEY, container_count INTEGER DEFAULT 0, object_count INTEGER DEFAULT 0,
  bytes_used INTEGER DEFAULT 0);
)sql";

using Columns = std::set<std::string, std::less<>>;

// One policy has all the containers; of several, each has those that are counted.
constexpr const char* kCountContainers = R"sql(
UPDATE policy_stat SET container_count = (SELECT container_count FROM account_stat)
  WHERE (SELECT count(*) FROM policy_stat) <= 1;
UPDATE policy_stat SET container_count = (
    SELECT count(*) FROM container c
    WHERE c.deleted = 0 AND c.storage_policy_index = policy_stat.storage_policy_index)
  WHERE (SELECT count(*) FROM policy_stat) > 1;
)sql";

void add_container_policies(Database& database, const Columns& have) {
  if (!have.contains("policy_stat.")) {
    database.run(kContainerPolicyStat);
    database.run(
        "INSERT INTO policy_stat (storage_policy_index, container_count, object_count, bytes_used) "
        "SELECT 0, container_count, object_count, bytes_used FROM account_stat "
        "WHERE container_count > 0");
  }
  if (have.contains("container.storage_policy_index")) return;
  database.run("ALTER TABLE container ADD COLUMN storage_policy_index INTEGER DEFAULT 0");
  database.run(kContainerTriggers);
}

void add_container_count(Database& database) {
  database.run(
      "DROP TRIGGER IF EXISTS container_delete_ps; DROP TRIGGER IF EXISTS container_insert_ps;"
      "ALTER TABLE policy_stat ADD COLUMN container_count INTEGER DEFAULT 0");
  database.run(kContainerTriggers);
  database.run(kCountContainers);
}

}  // namespace

void create_account_tables(Database& database) {
  for (const char* sql : {kContainers, kContainerTriggers, kStat, kContainerPolicyStat})
    database.run(sql);
}

void migrate_account_tables(Database& database) {
  const auto is_current = [](const Columns& have) {
    return have.contains("account_stat.metadata") &&
           have.contains("container.storage_policy_index") &&
           have.contains("policy_stat.container_count");
  };
  if (is_current(database.columns())) return;
  Transaction transaction(database);
  const Columns have = database.columns();  // again, now that nobody else changes them
  if (is_current(have) || !have.contains("container.")) return;
  if (!have.contains("account_stat.metadata"))
    database.run("ALTER TABLE account_stat ADD COLUMN metadata TEXT DEFAULT ''");
  add_container_policies(database, have);
  if (have.contains("policy_stat.") && !have.contains("policy_stat.container_count"))
    add_container_count(database);
  transaction.commit();
}

}  // namespace apus
