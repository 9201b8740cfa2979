// Listings of names in order: markers, prefix, delimiter, path, either direction.
#pragma once

#include <apus/listing.h>

#include <functional>
#include <optional>
#include <string>

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

/// Takes one entry after another; the reference lives during the call.
using ListingSink = std::function<void(const ListingEntry&)>;

/// Walks the live rows of `table` by name, within one read transaction's worth of statements.
/// `columns` follow "name" in the SELECT; `fill` reads them from column 1 on into an entry that
/// keeps what earlier rows left in it. `policy` nothing = rows of any policy.
APUS_API void list_names(Database& database, const std::string& table, const std::string& columns,
                         const ListingQuery& query, std::optional<std::int64_t> policy,
                         const std::function<void(const Statement&, ListingEntry&)>& fill,
                         const ListingSink& sink);

/// The first text after all that start with `text`: its last code point plus one.
APUS_API std::string name_after(std::string text);

}  // namespace apus
