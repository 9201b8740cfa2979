// The metadata column: headers with the moment each was set, as a JSON object.
#pragma once

#include <apus/abi.h>
#include <apus/swift_conf.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace apus {

/// Name (title case, as the header came in) to value and internal timestamp. An empty value is a
/// removed header.
using DatabaseMetadata = std::map<std::string, std::pair<std::string, std::string>, std::less<>>;

/// Entries that are not a pair of texts are left out; a text that is no JSON object gives none.
APUS_API DatabaseMetadata parse_metadata_column(std::string_view json);
APUS_API std::string metadata_column(const DatabaseMetadata& metadata);

/// Takes each update whose timestamp is newer. True when something changed.
APUS_API bool merge_metadata(DatabaseMetadata& into, const DatabaseMetadata& updates);

/// Swift's 400 text when the X-{Account,Container}-Meta-* entries pass the limits or are not UTF-8;
/// else empty.
APUS_API std::string check_stored_metadata(const DatabaseMetadata& metadata,
                                           const Constraints& limits);

}  // namespace apus
