// Swift's filters of which there is none here, and why.
#pragma once

#include <apus/abi.h>

#include <string_view>

namespace apus {

/// The reason and what stands in for it, for whoever names the filter in a conf; empty for every
/// other name.
APUS_API std::string_view why_not_built(std::string_view plugin);

}  // namespace apus
