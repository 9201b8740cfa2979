// Dicts of strings, which nearly all of Swift's pickles are, without a tree.
#pragma once

#include <apus/abi.h>

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace apus::pickle {

/// A string of a pickle as a view into it.
struct FlatString {
  std::string_view utf8;
  /// Bytes: those that the text's code points (all below 0x100) are in latin-1. Otherwise text.
  bool is_bytes = false;
};
using FlatDict = std::vector<std::pair<FlatString, FlatString>>;

/// Reads what Python 3 and Writer make of a dict of text and bytes in protocol 2. Nothing for
/// anything else, which `parse` may still know. Linear; views live as long as `pickle`.
APUS_API std::optional<FlatDict> parse_flat(std::string_view pickle);

}  // namespace apus::pickle
