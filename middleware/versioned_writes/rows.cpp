#include "middleware/versioned_writes/rows.h"

namespace apus::versioned_writes {

std::string text_of(const Json& row, std::string_view name) {
  const Json* value = row.find(name);
  return value != nullptr && value->text() != nullptr ? *value->text() : std::string();
}

std::int64_t number_of(const Json& row, std::string_view name) {
  const Json* value = row.find(name);
  return value != nullptr && value->integer() != nullptr ? *value->integer() : 0;
}

}  // namespace apus::versioned_writes
