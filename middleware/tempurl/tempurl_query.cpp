#include "middleware/tempurl/tempurl_query.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace apus::tempurl {
namespace {

const std::string* first(const Query& query, std::string_view name) {
  const auto& pairs = query.pairs();
  const auto at = std::find_if(pairs.begin(), pairs.end(),
                               [&](const auto& pair) { return pair.first == name; });
  return at == pairs.end() ? nullptr : &at->second;
}

struct Field {
  std::size_t max_digits;
  char end;
};
constexpr std::array<Field, 6> kFields = {
    {{4, '-'}, {2, '-'}, {2, 'T'}, {2, ':'}, {2, ':'}, {2, 'Z'}}};

// The six numbers of an ISO 8601 moment, each with at most its usual digits.
std::optional<std::array<int, 6>> read_fields(std::string_view text) {
  std::array<int, 6> out{};
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    const std::size_t end = text.find(kFields[i].end);
    if (end == std::string_view::npos || end > kFields[i].max_digits) return std::nullopt;
    const auto value = parse_digits(text.substr(0, end));
    if (!value || (i == 0 && end != 4)) return std::nullopt;
    out[i] = static_cast<int>(*value);
    text.remove_prefix(end + 1);
  }
  if (!text.empty()) return std::nullopt;
  return out;
}

std::optional<std::int64_t> parse_iso(std::string_view text) {
  using namespace std::chrono;
  const auto fields = read_fields(text);
  if (!fields) return std::nullopt;
  const auto [y, m, d, hour, minute, second] = *fields;
  const year_month_day date{year(y), month(static_cast<unsigned>(m)),
                            day(static_cast<unsigned>(d))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 61) return std::nullopt;
  const std::int64_t days = sys_days(date).time_since_epoch().count();
  return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

}  // namespace

std::int64_t parse_expires(std::string_view text) {
  auto seconds = parse_int(text);
  if (!seconds) seconds = parse_iso(text);
  return std::max<std::int64_t>(seconds.value_or(0), 0);
}

TempurlQuery::TempurlQuery(const Query& query) {
  if (const std::string* text = first(query, "temp_url_sig")) signature = *text;
  if (const std::string* text = first(query, "temp_url_expires")) expires = parse_expires(*text);
  if (const std::string* text = first(query, "temp_url_prefix")) prefix = *text;
  if (const std::string* text = first(query, "filename")) filename = *text;
  if (const std::string* text = first(query, "temp_url_ip_range")) ip_range = *text;
  inline_shown = first(query, "inline") != nullptr;
}

}  // namespace apus::tempurl
