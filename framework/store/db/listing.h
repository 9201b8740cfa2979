// Listings of names in order: markers, prefix, delimiter, path, either direction.
#pragma once

#include <apus/listing.h>

#include <functional>
#include <string>
#include <vector>

#include "framework/store/db/sqlite.h"

namespace apus {

struct ListingQuery {
  std::int64_t limit = 10000;
  std::string marker;      ///< exclusive
  std::string end_marker;  ///< exclusive
  std::string prefix;
  std::string delimiter;
  std::optional<std::string> path;  ///< "pseudo directory"; containers only
  bool reverse = false;
  bool allow_reserved = false;
};

/// Walks the live rows of `table` by name. `columns` follow "name" in the SELECT; `fill` reads them
/// from column 1 on. `policy` < 0 = rows of any policy.
APUS_API std::vector<ListingEntry> list_names(
    Database& database, const std::string& table, const std::string& columns,
    const ListingQuery& query, std::int64_t policy,
    const std::function<void(const Statement&, ListingEntry&)>& fill);

}  // namespace apus
