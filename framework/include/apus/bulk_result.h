// How a request that stands for many tells what became of each.
#pragma once

#include <apus/abi.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace apus {

/// The four types in which results can be had, Swift's first choice first: text/plain,
/// application/json, application/xml, text/xml.
APUS_API extern const std::string_view kBulkTypes[4];

struct BulkResult {
  struct Value {
    std::string text;
    bool number = false;
  };
  std::vector<std::pair<std::string, Value>> values;        ///< "Response Status" and its like
  std::vector<std::pair<std::string, std::string>> errors;  ///< quoted name, "404 Not Found"

  APUS_API void set(std::string_view name, std::string text);
  APUS_API void set(std::string_view name, std::int64_t number);
  /// One of kBulkTypes; `root` is XML's outermost element ("delete"). XML has no declaration.
  [[nodiscard]] APUS_API std::string text(std::string_view type, std::string_view root) const;
};

/// "404 Not Found".
APUS_API std::string status_line(int status);

}  // namespace apus
