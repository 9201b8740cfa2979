// "Did you mean": the known name nearest to a mistyped one.
#pragma once

#include <apus/abi.h>

#include <string>
#include <string_view>
#include <vector>

namespace apus {

/// The name with the smallest edit distance, when that is at most a third of the word; else empty.
APUS_API std::string nearest_name(std::string_view word, const std::vector<std::string>& names);

}  // namespace apus
