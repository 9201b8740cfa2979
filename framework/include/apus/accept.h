// Content negotiation as Swift does it: strict about the grammar, simple about the choice.
#pragma once

#include <apus/abi.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace apus {

struct AcceptChoice {
  bool malformed = false;           ///< Swift answers 400 or acts as if nothing was said
  std::optional<std::size_t> best;  ///< place in `options`; nothing = none of them will do
};

/// The first of `options` ("type/subtype") that fits the best accepted type: higher quality first,
/// then types without '*', then as they come. Everything fits an empty header. Names are compared
/// with their case; a quality of 0 only comes last. Linear in the header.
APUS_API AcceptChoice choose_type(std::string_view header,
                                  std::span<const std::string_view> options);

}  // namespace apus
