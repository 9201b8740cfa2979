// What a bulk request came to, in the three forms in which clients read it.
#pragma once

#include <apus/listing.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace apus::bulk {

struct Report {
  std::string status;  ///< "200 OK"
  std::string body;
  std::vector<std::pair<std::string, std::int64_t>> counts;  ///< in JSON's order
  std::vector<std::pair<std::string, std::string>> errors;   ///< quoted name, status

  /// No format = text. `root` is XML's outermost element.
  [[nodiscard]] std::string text(std::optional<ListingFormat> format, std::string_view root) const;
};

/// "404 Not Found".
std::string status_line(int status, std::string_view reason = {});

}  // namespace apus::bulk
