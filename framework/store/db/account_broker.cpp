#include "framework/store/db/account_broker.h"

#include <apus/text.h>

#include <algorithm>

namespace apus {
namespace {

constexpr const char* kSchema = R"sql(
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
CREATE TABLE account_stat (
  account TEXT, created_at TEXT, put_timestamp TEXT DEFAULT '0', delete_timestamp TEXT DEFAULT '0',
  container_count INTEGER, object_count INTEGER DEFAULT 0, bytes_used INTEGER DEFAULT 0,
  hash TEXT default '00000000000000000000000000000000', id TEXT, status TEXT DEFAULT '',
  status_changed_at TEXT DEFAULT '0', metadata TEXT DEFAULT '');
CREATE TABLE policy_stat (
  storage_policy_index INTEGER PRIMARY KEY, container_count INTEGER DEFAULT 0, object_count INTEGER DEFAULT 0,
  bytes_used INTEGER DEFAULT 0);
)sql";

}  // namespace

AccountBroker::AccountBroker(BrokerServices services, DatabasePlace place, std::string account)
    : Broker(services, std::move(place)), account_(std::move(account)) {}

bool AccountBroker::create(const Timestamp& put_timestamp) {
  const std::string put = put_timestamp.internal();
  return create_file([&](Database& database) {
    database.run(kSchema);
    database
        .query(
            "INSERT INTO account_stat (account, created_at, id, put_timestamp, status_changed_at, "
            "container_count) VALUES (?, ?, ?, ?, ?, 0)")
        .bind(account_)
        .bind(services_.clock.timestamp().internal())
        .bind(new_id())
        .bind(put)
        .bind(put)
        .step();
  });
}

std::optional<AccountStat> AccountBroker::info() {
  if (!exists()) return std::nullopt;
  commit_pending(std::chrono::milliseconds(100));
  std::optional<AccountStat> out;
  with([&](Database& database) {
    {
      Statement row = database.query(
          "SELECT created_at, put_timestamp, delete_timestamp, status, container_count, "
          "object_count, bytes_used FROM account_stat");
      if (!row.step()) return;
      out = AccountStat{std::string(row.text(0)), std::string(row.text(1)),
                        std::string(row.text(2)), std::string(row.text(3)),
                        row.integer(4),           row.integer(5),
                        row.integer(6),           {}};
    }
    Statement rows = database.query(
        "SELECT storage_policy_index, container_count, object_count, bytes_used "
        "FROM policy_stat ORDER BY storage_policy_index");
    while (rows.step()) {
      out->policies.push_back({rows.integer(0), rows.integer(1), rows.integer(2), rows.integer(3)});
    }
  });
  if (!out) quarantine("its info row is missing");
  return out;
}

void AccountBroker::put_container(const ContainerRow& row) {
  pickle::Writer writer;
  writer.begin_tuple();
  writer.text(row.name);
  writer.text(row.put_timestamp);
  writer.text(row.delete_timestamp);
  writer.integer(row.object_count);
  writer.integer(row.bytes_used);
  writer.integer(row.deleted ? 1 : 0);
  writer.integer(row.policy);
  writer.end_tuple();
  put_pending(writer.finish(), std::chrono::seconds(3));
}

void AccountBroker::merge(Database& database, const std::vector<pickle::Ref>& rows) {
  for (const pickle::Ref& entry : rows) {
    const auto& tuple = std::get<pickle::Tuple>(entry->data);
    if (tuple.items.size() < 6) continue;
    ContainerRow row{tuple.text(0),   tuple.text(1),        tuple.text(2),  tuple.number(3),
                     tuple.number(4), tuple.number(5) != 0, tuple.number(6)};
    bool stored = false;
    {
      Statement found = database.query(
          "SELECT put_timestamp, delete_timestamp FROM container "
          "WHERE deleted IN (0, 1) AND name = ?");
      found.bind(row.name);
      if (found.step()) {
        stored = true;
        row.put_timestamp = std::max(row.put_timestamp, std::string(found.text(0)));
        row.delete_timestamp = std::max(row.delete_timestamp, std::string(found.text(1)));
        row.deleted = row.delete_timestamp > row.put_timestamp && row.object_count == 0;
      }
    }
    if (stored)
      database.query("DELETE FROM container WHERE deleted IN (0, 1) AND name = ?")
          .bind(row.name)
          .step();
    database
        .query(
            "INSERT INTO container (name, put_timestamp, delete_timestamp, object_count, "
            "bytes_used, deleted, "
            "storage_policy_index) VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(row.name)
        .bind(row.put_timestamp)
        .bind(row.delete_timestamp)
        .bind(row.object_count)
        .bind(row.bytes_used)
        .bind(std::int64_t{row.deleted})
        .bind(row.policy)
        .step();
  }
}

std::vector<ListingEntry> AccountBroker::list(const ListingQuery& query) {
  commit_pending(std::chrono::milliseconds(100));
  std::vector<ListingEntry> out;
  with([&](Database& database) {
    out = list_names(database, "container", "object_count, bytes_used, put_timestamp", query, -1,
                     [](const Statement& row, ListingEntry& entry) {
                       entry.count = row.integer(1);
                       entry.bytes = row.integer(2);
                       if (const auto when = Timestamp::parse(row.text(3)))
                         entry.last_modified = when->isoformat();
                     });
  });
  return out;
}

}  // namespace apus
