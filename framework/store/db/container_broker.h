// Container databases.
#pragma once

#include <apus/timestamp.h>

#include <optional>
#include <string>
#include <vector>

#include "framework/store/db/broker.h"
#include "framework/store/db/listing.h"

namespace apus {

/// One object's row as it comes in.
struct ObjectRow {
  std::string name;
  std::string created_at;  ///< a timestamp, or three of them encoded
  std::int64_t size = 0;
  std::string content_type;
  std::string etag;
  bool deleted = false;
  std::int64_t policy = 0;
  std::string content_type_timestamp;  ///< empty = as the data
  std::string meta_timestamp;          ///< empty = as the content type
};

/// The merged row, or nothing when `incoming` brings nothing newer. Rows match by name and policy.
APUS_API std::optional<ObjectRow> merge_rows(const std::optional<ObjectRow>& stored,
                                             const ObjectRow& incoming);

struct ContainerStat {
  std::string created_at;
  std::string put_timestamp;
  std::string delete_timestamp;
  std::string status_changed_at;
  std::int64_t object_count = 0;
  std::int64_t bytes_used = 0;
  std::int64_t policy = 0;

  /// A container without objects whose deletion is newer than its creation.
  [[nodiscard]] bool deleted() const {
    return object_count == 0 && delete_timestamp > put_timestamp;
  }
};

class APUS_API ContainerBroker final : public Broker {
 public:
  ContainerBroker(BrokerServices services, DatabasePlace place, std::string account,
                  std::string container);

  /// Makes the database. False when it was there.
  bool create(const Timestamp& put_timestamp, std::int64_t policy);
  /// Pending rows are committed first when the lock is to be had at once. Nothing when there is
  /// none.
  std::optional<ContainerStat> info();
  /// A deleted container comes back under another policy.
  void set_policy(std::int64_t policy, const Timestamp& timestamp);
  void put_object(const ObjectRow& row);
  [[nodiscard]] std::vector<ListingEntry> list(const ListingQuery& query, std::int64_t policy);

 private:
  void merge(Database& database, const std::vector<pickle::Ref>& rows) override;
  void merge_one(Database& database, const ObjectRow& row);
  [[nodiscard]] const char* stat_table() const override { return "container_info"; }

  std::string account_;
  std::string container_;
};

}  // namespace apus
