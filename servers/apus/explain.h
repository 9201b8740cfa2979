// A checked conf in words: the order with its reasons, and every option with its origin.
#pragma once

#include <string>

#include "framework/pipeline/server_plan.h"

namespace apus {

/// Lines for a person. Values of secret options are hidden.
std::string explain(const ServerPlan& plan);

}  // namespace apus
