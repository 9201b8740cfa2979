#include <apus/text.h>
#include <apus/timestamp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace apus {
namespace {

template <typename... Args>
std::string format(const char* pattern, Args... args) {
  std::array<char, 64> text;
  const int size = std::snprintf(text.data(), text.size(), pattern, args...);
  return {text.data(), static_cast<std::size_t>(std::max(size, 0))};
}

std::optional<double> parse_double(std::string_view text) {
  text = trim(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

// "NNN.ddddd" and plain integers without a detour through binary fractions; others by double.
std::optional<std::int64_t> parse_raw(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot != std::string_view::npos && dot <= 10 && text.size() - dot == 6) {
    const auto whole = parse_digits(text.substr(0, dot));
    const auto part = parse_digits(text.substr(dot + 1));
    if (whole && part) return *whole * 100000 + *part;
  }
  const auto seconds = parse_double(text);
  if (!seconds || *seconds < 0 || *seconds >= 1e10) return std::nullopt;
  const auto raw = static_cast<std::int64_t>(std::nearbyint(*seconds / 1e-5));
  return raw < Timestamp::kRawEnd ? std::optional(raw) : std::nullopt;
}

std::optional<std::uint64_t> parse_offset(std::string_view text) {
  if (text.empty()) return 0;
  if (text.size() > 16) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string delta_text(std::int64_t delta) {
  return delta < 0 ? format("-%llx", static_cast<unsigned long long>(-delta))
                   : format("+%llx", static_cast<unsigned long long>(delta));
}

// Where the next delta begins, or the end.
std::size_t find_sign(std::string_view text) {
  const auto* at =
      std::find_if(text.begin(), text.end(), [](char c) { return c == '+' || c == '-'; });
  return static_cast<std::size_t>(at - text.begin());
}

// One "+hex" or "-hex" from the front of `text`.
std::optional<std::int64_t> take_delta(std::string_view& text) {
  const bool negative = text.starts_with('-');
  text.remove_prefix(1);
  const std::size_t end = find_sign(text);
  std::int64_t value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + end, value, 16);
  if (error != std::errc() || at != text.data() + end || end == 0) return std::nullopt;
  text.remove_prefix(end);
  return negative ? -value : value;
}

std::optional<Timestamp> shifted(const Timestamp& from, std::int64_t delta) {
  if (delta == 0) return from;
  if (delta > Timestamp::kRawEnd || delta < -Timestamp::kRawEnd) return std::nullopt;
  const std::int64_t raw = from.raw() + delta;
  if (raw < 0 || raw >= Timestamp::kRawEnd) return std::nullopt;
  return Timestamp::from_raw(raw);
}

constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// The lowest `count` digits of a number that is not negative.
void put_digits(char* out, int count, std::int64_t value) {
  for (int i = count - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

// Days since 1970 of a day in the Gregorian calendar.
std::int64_t days_from_civil(std::int64_t year, std::int64_t month, std::int64_t day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = year / 400;
  const std::int64_t of_era = year - era * 400;
  const std::int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

// "Sun, 06 Nov 1994 08:49:37 GMT" in exactly this form: what HTTP asks for and nearly all send.
std::optional<std::int64_t> parse_fixed_date(std::string_view text) {
  if (text.size() != 29 || text.substr(3, 2) != ", " || !text.ends_with(" GMT"))
    return std::nullopt;
  if (text[7] != ' ' || text[11] != ' ' || text[16] != ' ' || text[19] != ':' || text[22] != ':')
    return std::nullopt;
  const auto day = parse_digits(text.substr(5, 2));
  const auto year = parse_digits(text.substr(12, 4));
  const auto hour = parse_digits(text.substr(17, 2));
  const auto minute = parse_digits(text.substr(20, 2));
  const auto second = parse_digits(text.substr(23, 2));
  const auto* month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  const bool known_day = std::find(kDays.begin(), kDays.end(), text.substr(0, 3)) != kDays.end();
  if (!day || !year || !hour || !minute || !second || month == kMonths.end() || !known_day)
    return std::nullopt;
  if (*day < 1 || *day > 31 || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return days_from_civil(*year, month - kMonths.begin() + 1, *day) * 86400 + *hour * 3600 +
         *minute * 60 + *second;
}

std::tm utc(std::int64_t unix_seconds) {
  const std::time_t when = unix_seconds;
  std::tm parts{};
  gmtime_r(&when, &parts);
  return parts;
}

}  // namespace

Timestamp Timestamp::from_raw(std::int64_t raw, std::uint64_t offset) {
  Timestamp out;
  out.raw_ = std::clamp<std::int64_t>(raw, 0, kRawEnd - 1);
  out.offset_ = offset;
  return out;
}

Timestamp Timestamp::from_seconds(double seconds, std::uint64_t offset) {
  if (!(seconds > 0)) return from_raw(0, offset);
  if (seconds >= 1e10) return from_raw(kRawEnd - 1, offset);
  return from_raw(static_cast<std::int64_t>(std::nearbyint(seconds / 1e-5)), offset);
}

std::optional<Timestamp> Timestamp::parse(std::string_view text) {
  const std::size_t bar = text.find('_');
  const auto raw = parse_raw(trim(text.substr(0, bar)));
  if (!raw) return std::nullopt;
  if (bar == std::string_view::npos) return from_raw(*raw);
  const auto offset = parse_offset(text.substr(bar + 1));
  if (!offset) return std::nullopt;
  return from_raw(*raw, *offset);
}

double Timestamp::seconds() const { return static_cast<double>(raw_) / 1e5; }

std::int64_t Timestamp::ceil_seconds() const { return (raw_ + 99999) / 100000; }

std::string Timestamp::normal() const {
  std::array<char, 16> text;
  put_digits(text.data(), 10, raw_ / 100000);
  text[10] = '.';
  put_digits(text.data() + 11, 5, raw_ % 100000);
  return {text.data(), text.size()};
}

std::string Timestamp::internal() const {
  if (offset_ == 0) return normal();
  return normal() + format("_%016llx", static_cast<unsigned long long>(offset_));
}

std::string Timestamp::short_form() const {
  if (offset_ == 0) return normal();
  return normal() + format("_%llx", static_cast<unsigned long long>(offset_));
}

std::string Timestamp::isoformat() const {
  const std::tm t = utc(raw_ / 100000);
  std::string out = "0000-00-00T00:00:00.000000";
  put_digits(out.data(), 4, t.tm_year + 1900);
  put_digits(out.data() + 5, 2, t.tm_mon + 1);
  put_digits(out.data() + 8, 2, t.tm_mday);
  put_digits(out.data() + 11, 2, t.tm_hour);
  put_digits(out.data() + 14, 2, t.tm_min);
  put_digits(out.data() + 17, 2, t.tm_sec);
  put_digits(out.data() + 20, 6, raw_ % 100000 * 10);
  return out;
}

std::string encode_timestamps(const Timestamp& first, const std::optional<Timestamp>& second,
                              const std::optional<Timestamp>& third, bool explicit_deltas) {
  std::string out = first.short_form();
  if (!second && !third) return out;
  const Timestamp middle = second.value_or(first);
  const Timestamp last = third.value_or(middle);
  const std::int64_t delta2 = middle.raw() - first.raw();
  const std::int64_t delta3 = last.raw() - middle.raw();
  if (!explicit_deltas && delta2 == 0 && delta3 == 0) return out;
  if (second || third) out += delta_text(delta2);
  if (third) out += delta_text(delta3);
  return out;
}

std::optional<TimestampTriple> decode_timestamps(std::string_view text) {
  const std::size_t end = find_sign(text);
  const auto first = Timestamp::parse(text.substr(0, end));
  if (!first) return std::nullopt;
  TimestampTriple out{*first, *first, *first};
  text.remove_prefix(end);
  if (text.empty()) return out;
  const auto delta2 = take_delta(text);
  if (!delta2) return std::nullopt;
  const auto second = shifted(out.data, *delta2);
  if (!second) return std::nullopt;
  out.content_type = out.meta = *second;
  if (text.empty()) return out;
  const auto delta3 = take_delta(text);
  if (!delta3 || !text.empty()) return std::nullopt;
  const auto third = shifted(out.content_type, *delta3);
  if (!third) return std::nullopt;
  out.meta = *third;
  return out;
}

std::string http_date(std::int64_t unix_seconds) {
  const std::tm t = utc(unix_seconds);
  std::string out = "Www, 00 Mmm 0000 00:00:00 GMT";
  out.replace(0, 3, kDays.at(static_cast<std::size_t>(t.tm_wday)));
  out.replace(8, 3, kMonths.at(static_cast<std::size_t>(t.tm_mon)));
  put_digits(&out[5], 2, t.tm_mday);
  put_digits(&out[12], 4, t.tm_year + 1900);
  put_digits(&out[17], 2, t.tm_hour);
  put_digits(&out[20], 2, t.tm_min);
  put_digits(&out[23], 2, t.tm_sec);
  return out;
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  text = trim(text);
  if (text.empty()) return std::nullopt;
  if (const auto usual = parse_fixed_date(text)) return usual;
  const std::string copy(text);
  for (const char* form :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"}) {
    std::tm parts{};
    const char* end = strptime(copy.c_str(), form, &parts);
    if (end != nullptr && *end == '\0') return timegm(&parts);
  }
  return std::nullopt;
}

}  // namespace apus
