// A row of a container's object table: its three forms outside of SQLite, and how two become one.
#pragma once

#include <apus/json.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/pickle/pickle.h"

namespace apus {

/// One object's row as it comes in.
struct APUS_API ObjectRow {
  std::string name;
  std::string created_at;  ///< a timestamp, or three of them encoded
  std::int64_t size = 0;
  std::string content_type;
  std::string etag;
  bool deleted = false;
  std::int64_t policy = 0;
  std::string content_type_timestamp;  ///< empty = as the data
  std::string meta_timestamp;          ///< empty = as the content type

  /// A pending file's tuple of 6 to 9 items; nothing when one has a type that does not fit.
  static std::optional<ObjectRow> from_tuple(const pickle::Tuple& tuple);
  /// The pickled tuple of nine.
  [[nodiscard]] std::string to_pickle() const;
};

/// Rows as they come from a peer or the proxy.
struct ObjectRows {
  std::vector<ObjectRow> rows;
  std::optional<std::int64_t> last_number;  ///< ROWID of the last
};
/// From a JSON list of dicts; nothing when it is none, or a field is missing or does not fit.
APUS_API std::optional<ObjectRows> read_object_rows(std::string_view json);

/// Whether every timestamp of it can be read.
bool has_times(const ObjectRow& row);

/// The merged row, or nothing when `incoming` brings nothing newer. Rows match by name and policy.
APUS_API std::optional<ObjectRow> merge_rows(const std::optional<ObjectRow>& stored,
                                             ObjectRow incoming);

/// A content type without its swift_bytes parameter, parameters joined as Swift joins them.
struct TypeAndSize {
  std::string type;
  std::optional<std::string> swift_bytes;
};
APUS_API TypeAndSize split_type(std::string_view text);

}  // namespace apus
