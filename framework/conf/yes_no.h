// Values that are yes or no.
#pragma once

#include <string>
#include <string_view>

namespace apus {

/// Nothing for a word that plainly means yes or no. Swift takes every word that is not one of its
/// yes words for no: a misspelt yes would turn off what it should turn on.
std::string yes_no_fault(std::string_view text);

}  // namespace apus
