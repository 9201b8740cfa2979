// The lines of an SSYNC exchange: what a sender offers, what a receiver wants.
#pragma once

#include <apus/abi.h>
#include <apus/timestamp.h>

#include <optional>
#include <string>
#include <string_view>

namespace apus::ssync {

inline constexpr std::string_view kMissingStart = ":MISSING_CHECK: START";
inline constexpr std::string_view kMissingEnd = ":MISSING_CHECK: END";
inline constexpr std::string_view kUpdatesStart = ":UPDATES: START";
inline constexpr std::string_view kUpdatesEnd = ":UPDATES: END";
/// No line is longer.
inline constexpr std::size_t kMaxLine = 65536;

/// One object that a sender has: "HASH T[ m:D[,t:D]]", deltas in hex units of 10 microseconds.
struct Offer {
  std::string hash;        ///< 32 lower-case hex digits
  Timestamp data;          ///< of the .data or the tombstone
  Timestamp meta;          ///< of the newest .meta, else `data`
  Timestamp content_type;  ///< when the content type was last set, else `data`
  bool durable = true;
  friend bool operator==(const Offer&, const Offer&) = default;
};
APUS_API std::string encode_offer(const Offer& offer);
/// Nothing for anything else; what a newer sender may say besides is passed over.
APUS_API std::optional<Offer> decode_offer(std::string_view line);

/// What a receiver has of an offered object; nothing of a moment that does not apply.
struct Local {
  std::optional<Timestamp> data;
  std::optional<Timestamp> meta;
  std::optional<Timestamp> content_type;
};

/// Which parts of an object a receiver asks for: "HASH dm".
struct Want {
  std::string hash;
  bool data = false;
  bool meta = false;
  friend bool operator==(const Want&, const Want&) = default;
};
/// Nothing: all of it is there.
APUS_API std::optional<Want> compare(const Offer& offer, const Local& local);
APUS_API std::string encode_want(const Want& want);
/// A hash alone, as old receivers write it, wants the data. Nothing when it is no such line.
APUS_API std::optional<Want> decode_want(std::string_view line);

/// True for 32 lower-case hex digits: what may become part of a path.
APUS_API bool is_hash(std::string_view text);

}  // namespace apus::ssync
