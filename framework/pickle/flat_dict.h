// Dicts of plain values by name, which nearly all of Swift's pickles are, without a tree.
#pragma once

#include <apus/abi.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace apus::pickle {

/// kBytes: those that the code points (all below 0x100) of `utf8` are in latin-1.
enum class FlatKind : std::uint8_t { kText, kBytes, kBool, kFloat, kNone };
/// A value of a pickle; its string is a view into it.
struct FlatValue {
  FlatKind kind = FlatKind::kNone;
  std::string_view utf8;  ///< of kText and kBytes
  double number = 0;      ///< of kFloat; of kBool 0 or 1

  [[nodiscard]] bool is_string() const { return kind <= FlatKind::kBytes; }
};
/// Keys are strings.
using FlatDict = std::vector<std::pair<FlatValue, FlatValue>>;

/// Reads what Python 3 and Writer make of a dict of text, bytes, floats, bools and None in protocol
/// 2. Nothing for anything else, which `parse` may still know. Linear; views live as long as
/// `pickle`.
APUS_API std::optional<FlatDict> parse_flat(std::string_view pickle);

}  // namespace apus::pickle
