// What the triggers of a container's object table keep with every row (counts, bytes and hash),
// kept by hand while many rows are merged and written once: with triggers a row takes half as long
// again.
#pragma once

#include <cstdint>
#include <map>

#include "framework/store/db/object_row.h"
#include "framework/store/db/row_hash.h"
#include "framework/store/db/sqlite.h"

namespace apus {

/// Inside a transaction of one connection, whose triggers rest as long as this lives.
class ObjectTotals {
 public:
  /// Whether the table's triggers are those that this stands for.
  static bool fit(Database& database);

  explicit ObjectTotals(Database& database);
  ObjectTotals(const ObjectTotals&) = delete;
  ObjectTotals& operator=(const ObjectTotals&) = delete;
  ~ObjectTotals();

  /// Of a row that was inserted.
  void came(const ObjectRow& row);
  /// Of a row that was deleted; its policy is that of a row that comes.
  void went(const ObjectRow& row);
  /// Once, after the last row. Throws DatabaseError.
  void write();

 private:
  struct Sums {  // differences, modulo 2^64
    std::uint64_t objects = 0;
    std::uint64_t bytes = 0;
  };

  Database& database_;
  std::map<std::int64_t, Sums> of_policy_;
  RowHash hash_;  // of rows that came or went
};

}  // namespace apus
