// The options of [object-relinker].
#pragma once

#include <apus/options.h>

#include <span>

namespace apus {

std::span<const OptionSpec> relinker_options();

}  // namespace apus
