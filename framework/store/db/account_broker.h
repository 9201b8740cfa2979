// Account databases.
#pragma once

#include <apus/timestamp.h>

#include <optional>
#include <string>
#include <vector>

#include "framework/store/db/broker.h"
#include "framework/store/db/listing.h"

namespace apus {

/// One container's row as a container server reports it.
struct ContainerRow {
  std::string name;
  std::string put_timestamp;
  std::string delete_timestamp;
  std::int64_t object_count = 0;
  std::int64_t bytes_used = 0;
  bool deleted = false;
  std::int64_t policy = 0;
};

struct AccountStat {
  std::string created_at;
  std::string put_timestamp;
  std::string delete_timestamp;
  std::string status;
  std::int64_t container_count = 0;
  std::int64_t object_count = 0;
  std::int64_t bytes_used = 0;
  struct PolicyStat {
    std::int64_t policy = 0;
    std::int64_t container_count = 0;
    std::int64_t object_count = 0;
    std::int64_t bytes_used = 0;
  };
  std::vector<PolicyStat> policies;

  [[nodiscard]] bool deleted() const {
    return status == "DELETED" || delete_timestamp > put_timestamp;
  }
};

class APUS_API AccountBroker final : public Broker {
 public:
  AccountBroker(BrokerServices services, DatabasePlace place, std::string account);

  bool create(const Timestamp& put_timestamp);
  std::optional<AccountStat> info();
  void put_container(const ContainerRow& row);
  [[nodiscard]] std::vector<ListingEntry> list(const ListingQuery& query);

 private:
  void merge(Database& database, const std::vector<pickle::Ref>& rows) override;
  [[nodiscard]] const char* stat_table() const override { return "account_stat"; }

  std::string account_;
};

}  // namespace apus
