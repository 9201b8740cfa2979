// Account databases.
#pragma once

#include <apus/timestamp.h>

#include <optional>
#include <string>
#include <vector>

#include "framework/store/db/broker.h"
#include "framework/store/db/listing.h"

namespace apus {

/// One container's row as a container server reports it. What a peer left out is nothing: the
/// stored value stays.
struct APUS_API ContainerRow {
  std::string name;
  std::optional<std::string> put_timestamp;
  std::optional<std::string> delete_timestamp;
  std::optional<std::int64_t> object_count = 0;
  std::optional<std::int64_t> bytes_used = 0;
  bool deleted = false;
  std::int64_t policy = 0;

  /// A pending file's tuple of 6 or 7; nothing when an item has a type that does not fit.
  static std::optional<ContainerRow> from_tuple(const pickle::Tuple& tuple);
  /// A peer's dict; nothing when a field is missing or does not fit.
  static std::optional<ContainerRow> from_json(const Json& dict);
  [[nodiscard]] std::string to_pickle() const;
};

/// The row to be stored: the newer timestamps of both, the incoming counts.
APUS_API ContainerRow merge_rows(const std::optional<ContainerRow>& stored, ContainerRow incoming);

struct AccountStat {
  std::string account;
  std::string created_at;
  std::string put_timestamp;
  std::string delete_timestamp;
  std::string status;
  std::string status_changed_at;
  std::int64_t container_count = 0;
  std::int64_t object_count = 0;
  std::int64_t bytes_used = 0;
  std::string hash;
  std::string id;
  std::string metadata;  ///< the column's JSON
  struct PolicyStat {
    std::int64_t policy = 0;
    std::int64_t container_count = 0;
    std::int64_t object_count = 0;
    std::int64_t bytes_used = 0;
  };
  std::vector<PolicyStat> policies;

  /// Marked so, or without containers and deleted after it was put.
  [[nodiscard]] APUS_API bool deleted() const;
  /// Marked so, or deleted after it was put, whatever it holds.
  [[nodiscard]] bool status_deleted() const {
    return status == "DELETED" || delete_timestamp > put_timestamp;
  }
};

class APUS_API AccountBroker final : public Broker {
 public:
  AccountBroker(BrokerServices services, DatabasePlace place, std::string account,
                std::string file = "");

  bool create(const Timestamp& put_timestamp);
  /// Nothing when there is no database.
  std::optional<AccountStat> info();
  /// Whether it counts as deleted; true when there is none. Pending rows are merged only when the
  /// answer hangs on them.
  [[nodiscard]] bool gone();
  void put_container(const ContainerRow& row);
  void list(const ListingQuery& query, const ListingSink& sink);
  void merge_rows(std::string_view json, const std::string& source) override;
  [[nodiscard]] Json replication_info() override;
  [[nodiscard]] bool reclaimable(const Timestamp& age) override;

 private:
  void migrate(Database& database) override;
  void merge_pending(Database& database, const std::vector<pickle::Ref>& rows) override;
  [[nodiscard]] bool is_row(const pickle::Tuple& tuple) const override;
  void merge_one(Database& database, const ContainerRow& row);
  [[nodiscard]] const char* stat_table() const override { return "account_stat"; }
  [[nodiscard]] const char* row_table() const override { return "container"; }
  [[nodiscard]] const char* reclaim_column() const override { return "delete_timestamp"; }
  [[nodiscard]] bool is_deleted(Database& database) override;

  std::string account_;
};

}  // namespace apus
