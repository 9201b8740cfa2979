// Databases of every older Swift, brought to the present schema at first use.
#include <doctest/doctest.h>

#include <filesystem>

#include "tests/unit/db/store.h"

namespace apus::test {
namespace {

const std::string kSync =
    "CREATE TABLE outgoing_sync (remote_id TEXT UNIQUE, sync_point INTEGER);"
    "CREATE TABLE incoming_sync (remote_id TEXT UNIQUE, sync_point INTEGER);";

const std::string kOldObjects =
    "CREATE TABLE object (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, created_at TEXT, "
    "size INTEGER, content_type TEXT, etag TEXT, deleted INTEGER DEFAULT 0);"
    "CREATE INDEX ix_object_deleted_name ON object (deleted, name);"
    "CREATE TRIGGER object_insert AFTER INSERT ON object BEGIN UPDATE container_stat SET "
    "object_count = object_count + (1 - new.deleted), bytes_used = bytes_used + new.size, "
    "hash = chexor(hash, new.name, new.created_at); END;"
    "CREATE TRIGGER object_update BEFORE UPDATE ON object BEGIN SELECT RAISE(FAIL, 'no'); END;"
    "CREATE TRIGGER object_delete AFTER DELETE ON object BEGIN UPDATE container_stat SET "
    "object_count = object_count - (1 - old.deleted), bytes_used = bytes_used - old.size, "
    "hash = chexor(hash, old.name, old.created_at); END;";

// container_stat as a table, with or without what later Swifts added to it.
std::string old_stat(const std::string& more) {
  return "CREATE TABLE container_stat (account TEXT, container TEXT, created_at TEXT, "
         "put_timestamp TEXT DEFAULT '0', delete_timestamp TEXT DEFAULT '0', object_count INTEGER, "
         "bytes_used INTEGER, reported_put_timestamp TEXT DEFAULT '0', "
         "reported_delete_timestamp TEXT DEFAULT '0', reported_object_count INTEGER DEFAULT 0, "
         "reported_bytes_used INTEGER DEFAULT 0, "
         "hash TEXT default '00000000000000000000000000000000', id TEXT, status TEXT DEFAULT '', "
         "status_changed_at TEXT DEFAULT '0'" +
         more +
         ");"
         "INSERT INTO container_stat (account, container, created_at, put_timestamp, object_count, "
         "bytes_used, id) VALUES ('a', 'c', '0000000001.00000', '0000000002.00000', 0, 0, "
         "'old-id');";
}

void make(const std::string& file, const std::string& sql) {
  std::filesystem::create_directories(std::filesystem::path(file).parent_path());
  Database database(file, true);
  database.run(sql.c_str());
}

void check_old_container(const std::string& more_columns, const std::string& more_sql) {
  Store store;
  auto broker = store.container();
  make(broker.place().file(),
       kSync + kOldObjects + old_stat(more_columns) + more_sql +
           "INSERT INTO object (name, created_at, size, content_type, etag) VALUES "
           "('o1', '0000000003.00000', 7, 't', 'e')");
  broker.forget_files();
  auto stat = broker.info();
  REQUIRE(stat);
  CHECK(stat->object_count == 1);
  CHECK(stat->bytes_used == 7);
  CHECK(stat->id == "old-id");
  CHECK(stat->policy == 0);
  CHECK(stat->sync_point1 == -1);
  const std::string hash = stat->hash;
  CHECK(broker.update_metadata({{"X-Container-Meta-A", "b"}}, at(9)).empty());
  CHECK(broker.metadata().at("X-Container-Meta-A").first == "b");
  ObjectRow other = object("o2", 4, 5);
  other.policy = 1;
  broker.merge_objects({other, object("o3", 5, 6)});
  stat = broker.info();
  CHECK(stat->object_count == 2);
  CHECK(stat->bytes_used == 13);
  CHECK(stat->hash != hash);
  CHECK(broker.shard_ranges().empty());
  broker.reclaim(at(100), at(100));
  CHECK(names(store.container(), {}) == "o1,o3,");
}

TEST_CASE("container databases before metadata") { check_old_container("", ""); }
TEST_CASE("container databases before sync points") {
  check_old_container(", metadata TEXT DEFAULT ''", "");
}
TEST_CASE("container databases before policies") {
  check_old_container(
      ", metadata TEXT DEFAULT '', x_container_sync_point1 INTEGER DEFAULT -1, "
      "x_container_sync_point2 INTEGER DEFAULT -1",
      "");
}
TEST_CASE("shard ranges before reported and tombstones") {
  check_old_container(
      "",
      "CREATE TABLE shard_range (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, "
      "timestamp TEXT, lower TEXT, upper TEXT, object_count INTEGER DEFAULT 0, "
      "bytes_used INTEGER DEFAULT 0, meta_timestamp TEXT, deleted INTEGER DEFAULT 0, "
      "state INTEGER, state_timestamp TEXT, epoch TEXT);");
}

const std::string kOldAccount =
    "CREATE INDEX ix_container_deleted_name ON container (deleted, name);"
    "CREATE TRIGGER container_insert AFTER INSERT ON container BEGIN UPDATE account_stat SET "
    "container_count = container_count + (1 - new.deleted), object_count = object_count + "
    "new.object_count, bytes_used = bytes_used + new.bytes_used, hash = chexor(hash, new.name, "
    "new.put_timestamp || '-' || new.delete_timestamp || '-' || new.object_count || '-' || "
    "new.bytes_used); END;"
    "CREATE TRIGGER container_delete AFTER DELETE ON container BEGIN UPDATE account_stat SET "
    "container_count = container_count - (1 - old.deleted), object_count = object_count - "
    "old.object_count, bytes_used = bytes_used - old.bytes_used, hash = chexor(hash, old.name, "
    "old.put_timestamp || '-' || old.delete_timestamp || '-' || old.object_count || '-' || "
    "old.bytes_used); END;";

std::string old_account(const std::string& row_columns, const std::string& stat_columns) {
  return "CREATE TABLE container (ROWID INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, "
         "put_timestamp TEXT, delete_timestamp TEXT, object_count INTEGER, bytes_used INTEGER, "
         "deleted INTEGER DEFAULT 0" +
         row_columns +
         ");"
         "CREATE TABLE account_stat (account TEXT, created_at TEXT, put_timestamp TEXT DEFAULT "
         "'0', "
         "delete_timestamp TEXT DEFAULT '0', container_count INTEGER, object_count INTEGER DEFAULT "
         "0, "
         "bytes_used INTEGER DEFAULT 0, hash TEXT default '00000000000000000000000000000000', "
         "id TEXT, status TEXT DEFAULT '', status_changed_at TEXT DEFAULT '0'" +
         stat_columns +
         ");"
         "INSERT INTO account_stat (account, created_at, put_timestamp, container_count, id) "
         "VALUES "
         "('a', '0000000001.00000', '0000000002.00000', 0, 'old-id');" +
         kOldAccount;
}

void check_old_account(const std::string& sql) {
  Store store;
  auto broker = store.account();
  make(
      broker.place().file(),
      kSync + sql +
          "INSERT INTO container (name, put_timestamp, delete_timestamp, object_count, bytes_used) "
          "VALUES ('c1', '0000000003.00000', '0', 2, 7)");
  auto stat = broker.info();
  REQUIRE(stat);
  CHECK(stat->container_count == 1);
  REQUIRE(stat->policies.size() == 1);
  CHECK(stat->policies[0].container_count == 1);
  CHECK(stat->policies[0].bytes_used == 7);
  broker.put_container({"c2", "0000000004.00000", "0", 1, 1, false, 1});
  stat = broker.info();
  CHECK(stat->policies.size() == 2);
  CHECK(stat->bytes_used == 8);
  CHECK(broker.update_metadata({{"X-Account-Meta-A", "b"}}, at(9)).empty());
  CHECK(broker.metadata().size() == 1);
}

TEST_CASE("account databases before metadata and policies") {
  check_old_account(old_account("", ""));
}
TEST_CASE("account databases before policies") {
  check_old_account(old_account("", ", metadata TEXT DEFAULT ''"));
}
TEST_CASE("account databases before policies counted containers") {
  check_old_account(
      old_account(", storage_policy_index INTEGER DEFAULT 0", ", metadata TEXT DEFAULT ''") +
      "CREATE TABLE policy_stat (storage_policy_index INTEGER PRIMARY KEY, object_count INTEGER "
      "DEFAULT 0, bytes_used INTEGER DEFAULT 0);"
      "CREATE TRIGGER container_insert_ps AFTER INSERT ON container BEGIN INSERT OR IGNORE INTO "
      "policy_stat (storage_policy_index, object_count, bytes_used) VALUES "
      "(new.storage_policy_index, 0, 0); UPDATE policy_stat SET object_count = object_count + "
      "new.object_count, bytes_used = bytes_used + new.bytes_used WHERE storage_policy_index = "
      "new.storage_policy_index; END;"
      "CREATE TRIGGER container_delete_ps AFTER DELETE ON container BEGIN UPDATE policy_stat SET "
      "object_count = object_count - old.object_count, bytes_used = bytes_used - old.bytes_used "
      "WHERE storage_policy_index = old.storage_policy_index; END;");
}

}  // namespace
}  // namespace apus::test
