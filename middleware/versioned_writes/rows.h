// What both kinds of versioning read of listings.
#pragma once

#include <apus/json.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace apus::versioned_writes {

/// Bytes of a listing, at most.
constexpr std::size_t kMaxListing = 64U << 20U;

/// A member of a row; empty when it is not there or no text.
std::string text_of(const Json& row, std::string_view name);
/// A member of a row; 0 when it is not there or no integer.
std::int64_t number_of(const Json& row, std::string_view name);

}  // namespace apus::versioned_writes
