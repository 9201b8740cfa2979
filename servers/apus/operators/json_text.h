// A text within a JSON answer of a server.
#pragma once

#include <apus/json.h>

#include <string>
#include <string_view>

namespace apus {

/// The member of that name; "" when there is none, or when it is no text.
inline std::string json_text(const Json& object, std::string_view name) {
  const Json* found = object.find(name);
  return found == nullptr || found->text() == nullptr ? "" : *found->text();
}

}  // namespace apus
