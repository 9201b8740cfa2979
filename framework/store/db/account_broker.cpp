#include "framework/store/db/account_broker.h"

#include <apus/text.h>

#include <algorithm>

#include "framework/store/db/account_schema.h"

namespace apus {
namespace {

void fill_container(const Statement& row, ListingEntry& entry) {
  entry.count = row.integer(1);
  entry.bytes = row.integer(2);
  const auto when = Timestamp::parse(row.text(3));
  entry.last_modified = when ? when->isoformat() : "";
}

template <typename T>
void bind_optional(Statement& statement, const std::optional<T>& value) {
  if (value) {
    statement.bind(*value);
  } else {
    statement.bind(nullptr);
  }
}

}  // namespace

bool AccountStat::deleted() const {
  if (status == "DELETED") return true;
  return container_count == 0 && Timestamp::parse(delete_timestamp).value_or(Timestamp()) >
                                     Timestamp::parse(put_timestamp).value_or(Timestamp());
}

AccountBroker::AccountBroker(BrokerServices services, DatabasePlace place, std::string account,
                             std::string file)
    : Broker(services, std::move(place), std::move(file)), account_(std::move(account)) {}

void AccountBroker::migrate(Database& database) { migrate_account_tables(database); }

bool AccountBroker::create(const Timestamp& put_timestamp) {
  const std::string put = put_timestamp.internal();
  const auto fill = [&](Database& database) {
    create_account_tables(database);
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
  };
  return create_file(file(), fill, [&] { return !exists(); });
}

std::optional<AccountStat> AccountBroker::info() {
  if (!exists()) return std::nullopt;
  commit_pending();
  std::optional<AccountStat> out;
  with([&](Database& database) {
    // The totals and their parts, with no write between.
    const Transaction snapshot(database, false);
    {
      Statement row = database.query(
          "SELECT account, created_at, put_timestamp, delete_timestamp, status, "
          "status_changed_at, container_count, object_count, bytes_used, hash, id, metadata "
          "FROM account_stat");
      if (!row.step()) return;
      const auto text = [&](int column) { return std::string(row.text(column)); };
      out = AccountStat{
          text(0),        text(1),        text(2), text(3),  text(4),  text(5), row.integer(6),
          row.integer(7), row.integer(8), text(9), text(10), text(11), {}};
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

bool AccountBroker::is_deleted(Database& database) {
  Statement row = database.query(
      "SELECT put_timestamp, delete_timestamp, status, container_count FROM account_stat");
  AccountStat stat;
  if (!row.step()) return true;
  stat.put_timestamp = row.text(0);
  stat.delete_timestamp = row.text(1);
  stat.status = row.text(2);
  stat.container_count = row.integer(3);
  return stat.deleted();
}

bool AccountBroker::gone() {
  if (!exists()) return true;
  bool hangs_on_rows = false;
  bool deleted = false;
  with([&](Database& database) {
    deleted = is_deleted(database);
    Statement row = database.query("SELECT status FROM account_stat");
    hangs_on_rows = deleted && row.step() && row.text(0) != "DELETED";
  });
  if (!hangs_on_rows) return deleted;
  const auto stat = info();
  return !stat || stat->deleted();
}

bool AccountBroker::reclaimable(const Timestamp& age) {
  const auto stat = info();
  if (!stat || stat->container_count != 0) return false;
  const auto gone = Timestamp::parse(stat->delete_timestamp).value_or(Timestamp());
  return gone < age && gone > Timestamp::parse(stat->put_timestamp).value_or(Timestamp());
}

void AccountBroker::put_container(const ContainerRow& row) { put_pending(row.to_pickle()); }

bool AccountBroker::is_row(const pickle::Tuple& tuple) const {
  return ContainerRow::from_tuple(tuple).has_value();
}

void AccountBroker::merge_pending(Database& database, const std::vector<pickle::Ref>& rows) {
  for (const pickle::Ref& entry : rows) {
    if (const auto row = ContainerRow::from_tuple(std::get<pickle::Tuple>(entry->data)))
      merge_one(database, *row);
  }
}

void AccountBroker::merge_rows(std::string_view json, const std::string& source) {
  const auto dicts = Json::parse(json);
  if (!dicts || dicts->array() == nullptr) throw BadRow("not a list of container rows");
  std::vector<ContainerRow> rows;
  SyncPoint point{source, -1};
  for (const Json& dict : *dicts->array()) {
    auto row = ContainerRow::from_json(dict);
    if (!row) throw BadRow("not a container row: " + dict.dump().substr(0, 200));
    rows.push_back(std::move(*row));
    if (source.empty()) continue;
    const Json* number = dict.find("ROWID");
    if (number == nullptr || number->integer() == nullptr) throw BadRow("a row without ROWID");
    point.point = std::max(point.point, *number->integer());
  }
  if (rows.empty()) return;
  change([&](Database& database) {
    for (const ContainerRow& row : rows) merge_one(database, row);
    if (!source.empty()) advance_sync_point(database, point, true);
  });
}

void AccountBroker::merge_one(Database& database, const ContainerRow& incoming) {
  std::optional<ContainerRow> stored;
  {
    Statement found = database.query(
        "SELECT put_timestamp, delete_timestamp, object_count, bytes_used FROM container "
        "WHERE deleted IN (0, 1) AND name = ?");
    if (found.bind(incoming.name).step()) {
      stored = ContainerRow{incoming.name,
                            std::string(found.text(0)),
                            std::string(found.text(1)),
                            found.integer(2),
                            found.integer(3),
                            false,
                            0};
    }
  }
  const ContainerRow row = apus::merge_rows(stored, incoming);
  if (stored)
    database.query("DELETE FROM container WHERE deleted IN (0, 1) AND name = ?")
        .bind(row.name)
        .step();
  Statement insert = database.query(
      "INSERT INTO container (name, put_timestamp, delete_timestamp, object_count, bytes_used, "
      "deleted, storage_policy_index) VALUES (?, ?, ?, ?, ?, ?, ?)");
  insert.bind(row.name);
  bind_optional(insert, row.put_timestamp);
  bind_optional(insert, row.delete_timestamp);
  bind_optional(insert, row.object_count);
  bind_optional(insert, row.bytes_used);
  insert.bind(std::int64_t{row.deleted}).bind(row.policy).step();
}

void AccountBroker::list(const ListingQuery& query, const ListingSink& sink) {
  commit_pending();
  with([&](Database& database) {
    list_names(database, "container", "object_count, bytes_used, put_timestamp", query,
               std::nullopt, fill_container, sink);
  });
}

Json AccountBroker::replication_info() {
  const auto stat = info();
  if (!stat) return {};
  Json out;
  for (const auto& [name, value] : std::initializer_list<std::pair<const char*, Json>>{
           {"account", stat->account},
           {"created_at", stat->created_at},
           {"put_timestamp", stat->put_timestamp},
           {"delete_timestamp", stat->delete_timestamp},
           {"status_changed_at", stat->status_changed_at},
           {"object_count", stat->object_count},
           {"bytes_used", stat->bytes_used},
           {"hash", stat->hash},
           {"id", stat->id},
           {"count", stat->container_count},
           {"metadata", stat->metadata},
           {"max_row", max_row()}}) {
    out.set(name, value);
  }
  return out;
}

}  // namespace apus
