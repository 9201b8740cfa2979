// Rows into a container's object table: what is stored under their names is found, old and new
// become one, and what changed takes the place of what was stored.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "framework/store/db/object_row.h"
#include "framework/store/db/object_totals.h"
#include "framework/store/db/sqlite.h"

namespace apus {

/// Used once, inside a write transaction. Throws DatabaseError.
class ObjectMerge {
 public:
  explicit ObjectMerge(Database& database);

  /// Rows of one name and policy count in the order given, which is that of the ROWIDs too. They
  /// are looked up in the order of their names, so that many cost a walk through the index and not
  /// a search each.
  void run(std::vector<ObjectRow> rows);

 private:
  struct Stored {
    std::int64_t number = 0;
    ObjectRow row;
  };

  /// What is stored under a name, in any policy.
  std::vector<Stored> load(const std::vector<std::int64_t>& numbers, std::string_view name);
  /// Rows of one name and policy, oldest arrival first.
  void merge(std::vector<Stored>& stored, std::vector<ObjectRow*>::const_iterator from,
             std::vector<ObjectRow*>::const_iterator to);
  void find_changes(const std::vector<ObjectRow*>& rows);
  void remove_rows();
  void insert_rows();

  Database& database_;
  std::vector<Stored> gone_;
  std::vector<ObjectRow*> come_;
};

}  // namespace apus
