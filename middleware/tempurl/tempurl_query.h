// What a tempurl says in its query.
#pragma once

#include <apus/text.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace apus::tempurl {

/// The first value of each name counts.
struct TempurlQuery {
  std::optional<std::string> signature;
  std::optional<std::int64_t> expires;  ///< unix seconds; 0 when malformed
  std::optional<std::string> prefix;
  std::string filename;
  std::string ip_range;
  bool inline_shown = false;

  explicit TempurlQuery(const Query& query);
};

/// "1700000000" (as Python's int reads it) or "2023-11-14T22:13:20Z"; 0 when it is neither or lies
/// before 1970.
std::int64_t parse_expires(std::string_view text);

}  // namespace apus::tempurl
