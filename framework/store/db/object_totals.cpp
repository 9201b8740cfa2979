#include "framework/store/db/object_totals.h"

#include <sqlite3.h>

#include <optional>
#include <set>
#include <string>

namespace apus {

bool ObjectTotals::fit(Database& database) {
  std::set<std::string, std::less<>> names;
  Statement rows = database.query(
      "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'object'");
  while (rows.step()) names.emplace(rows.text(0));
  return names == std::set<std::string, std::less<>>{"object_delete_policy_stat",
                                                     "object_insert_policy_stat", "object_update"};
}

ObjectTotals::ObjectTotals(Database& database) : database_(database) {
  database_.use_triggers(false);
}
ObjectTotals::~ObjectTotals() { database_.use_triggers(true); }

void ObjectTotals::came(const ObjectRow& row) {
  Sums& sums = of_policy_[row.policy];
  sums.objects += row.deleted ? 0U : 1U;
  sums.bytes += static_cast<std::uint64_t>(row.size);
  hash_.mix(row.name, row.created_at);
}

void ObjectTotals::went(const ObjectRow& row) {
  Sums& sums = of_policy_[row.policy];
  sums.objects -= row.deleted ? 0U : 1U;
  sums.bytes -= static_cast<std::uint64_t>(row.size);
  hash_.mix(row.name, row.created_at);
}

void ObjectTotals::write() {
  if (of_policy_.empty()) return;
  for (const auto& [policy, sums] : of_policy_) {
    database_
        .query(
            "INSERT INTO policy_stat (storage_policy_index, object_count, bytes_used) "
            "VALUES (?, ?, ?) ON CONFLICT (storage_policy_index) DO UPDATE SET "
            "object_count = object_count + excluded.object_count, "
            "bytes_used = bytes_used + excluded.bytes_used")
        .bind(policy)
        .bind(static_cast<std::int64_t>(sums.objects))
        .bind(static_cast<std::int64_t>(sums.bytes))
        .step();
  }
  std::optional<RowHash> hash;
  {
    Statement row = database_.query("SELECT hash FROM container_info");
    if (row.step()) hash = RowHash::parse(row.text(0));
  }
  if (!hash) throw DatabaseError("the hash is not 32 hex digits", SQLITE_ERROR);
  hash->mix(hash_);
  database_.query("UPDATE container_info SET hash = ?").bind(hash->hex()).step();
}

}  // namespace apus
