// What both kinds of versioning know of listings.
#pragma once

#include <cstddef>

namespace apus::versioned_writes {

/// Bytes of a listing, at most.
constexpr std::size_t kMaxListing = 64U << 20U;

}  // namespace apus::versioned_writes
