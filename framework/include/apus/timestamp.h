// Swift's timestamps: seconds rounded to 10 microseconds, and an offset that orders rewrites of one
// moment.
#pragma once

#include <apus/abi.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace apus {

/// A moment as Swift writes it in file names, rows and headers. A value; ordered by (raw, offset),
/// which is the string order of the internal form.
class APUS_API Timestamp {
 public:
  /// One past the largest raw value: 1e10 seconds.
  static constexpr std::int64_t kRawEnd = 1'000'000'000'000'000;

  constexpr Timestamp() = default;
  /// `raw` counts 10-microsecond units since 1970, 0 <= raw < kRawEnd (clamped).
  static Timestamp from_raw(std::int64_t raw, std::uint64_t offset = 0);
  /// Rounds half to even at 1e-5, as Python does; clamped to the valid range.
  static Timestamp from_seconds(double seconds, std::uint64_t offset = 0);
  /// Any of the three forms. Nothing when it is not a number, is negative or >= 1e10, when the
  /// offset has more than 16 hex digits, or when there is a second '_'.
  static std::optional<Timestamp> parse(std::string_view text);

  [[nodiscard]] constexpr std::int64_t raw() const { return raw_; }
  [[nodiscard]] constexpr std::uint64_t offset() const { return offset_; }
  [[nodiscard]] double seconds() const;
  /// Whole seconds, rounded up: what Last-Modified shows.
  [[nodiscard]] std::int64_t ceil_seconds() const;
  [[nodiscard]] constexpr bool is_zero() const { return raw_ == 0 && offset_ == 0; }

  /// "1795382000.12345"
  [[nodiscard]] std::string normal() const;
  /// normal, then "_%016x" when the offset is not 0.
  [[nodiscard]] std::string internal() const;
  /// normal, then "_%x" when the offset is not 0.
  [[nodiscard]] std::string short_form() const;
  /// "2026-11-22T21:25:21.082660", UTC, always six digits: a listing's last_modified.
  [[nodiscard]] std::string isoformat() const;

  /// The moment as far before the end of time as this one is after its start: sorts newest first.
  /// Without the offset.
  [[nodiscard]] Timestamp inverted() const { return from_raw(kRawEnd - 1 - raw_); }
  // NOLINTNEXTLINE(modernize-use-nullptr): what is compared with 0 here is no pointer
  friend constexpr auto operator<=>(const Timestamp&, const Timestamp&) = default;

 private:
  std::int64_t raw_ = 0;
  std::uint64_t offset_ = 0;
};

/// Up to three moments in one text, as in `.meta` names and container rows: the first in short
/// form, the next two as signed hex deltas in 10-microsecond units.
struct TimestampTriple {
  Timestamp data;
  Timestamp content_type;
  Timestamp meta;
};

/// "T", "T+d" or "T+d+d". With `content_type` or `meta` equal to its predecessor the delta is left
/// out unless `explicit_deltas`.
APUS_API std::string encode_timestamps(const Timestamp& first,
                                       const std::optional<Timestamp>& second,
                                       const std::optional<Timestamp>& third, bool explicit_deltas);
/// A missing delta repeats its predecessor. Nothing when a part does not parse.
APUS_API std::optional<TimestampTriple> decode_timestamps(std::string_view text);

/// "Sun, 22 Nov 2026 21:25:21 GMT".
APUS_API std::string http_date(std::int64_t unix_seconds);
/// Reads the three date forms of RFC 9110; nothing when it is none of them.
APUS_API std::optional<std::int64_t> parse_http_date(std::string_view text);

}  // namespace apus
