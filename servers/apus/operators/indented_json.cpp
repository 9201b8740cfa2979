#include "servers/apus/operators/indented_json.h"

#include <map>

namespace apus {

std::string indented_json(const Json& value, const std::string& margin) {
  const std::string deeper = margin + "  ";
  std::string out;
  if (value.object() != nullptr && !value.object()->empty()) {
    const std::map<std::string, Json> members(value.object()->begin(), value.object()->end());
    for (const auto& [name, member] : members) {
      out += (out.empty() ? "{\n" : ",\n") + deeper + Json(name).dump() + ": " +
             indented_json(member, deeper);
    }
    return out + "\n" + margin + "}";
  }
  if (value.array() != nullptr && !value.array()->empty()) {
    for (const Json& item : *value.array())
      out += (out.empty() ? "[\n" : ",\n") + deeper + indented_json(item, deeper);
    return out + "\n" + margin + "]";
  }
  return value.dump();
}

}  // namespace apus
