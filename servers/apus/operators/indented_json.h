// JSON as the tools print it for people.
#pragma once

#include <apus/json.h>

#include <string>

namespace apus {

/// As Python's json.dumps(indent=2, sort_keys=True).
std::string indented_json(const Json& value, const std::string& margin = "");

}  // namespace apus
