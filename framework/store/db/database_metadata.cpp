#include "framework/store/db/database_metadata.h"

#include <apus/headers.h>
#include <apus/json.h>
#include <apus/text.h>

namespace apus {
namespace {

constexpr std::size_t kMaxColumn = 16U << 20U;

// The length of "X-Account-Meta-" or "X-Container-Meta-", 0 for any other name.
std::size_t user_prefix(std::string_view name) {
  for (const std::string_view prefix : {"X-Account-Meta-", "X-Container-Meta-"}) {
    if (starts_with_name(name, prefix)) return prefix.size();
  }
  return 0;
}

}  // namespace

DatabaseMetadata parse_metadata_column(std::string_view json) {
  DatabaseMetadata out;
  if (json.empty()) return out;
  const auto value = Json::parse(json, kMaxColumn);
  if (!value || value->object() == nullptr) return out;
  for (const auto& [name, pair] : *value->object()) {
    const Json::Array* items = pair.array();
    if (items == nullptr || items->size() != 2 || (*items)[0].text() == nullptr ||
        (*items)[1].text() == nullptr)
      continue;
    out[name] = {*(*items)[0].text(), *(*items)[1].text()};
  }
  return out;
}

std::string metadata_column(const DatabaseMetadata& metadata) {
  Json::Object out;
  for (const auto& [name, value] : metadata) {
    out.emplace_back(name, Json(Json::Array{Json(value.first), Json(value.second)}));
  }
  return Json(std::move(out)).dump();
}

bool merge_metadata(DatabaseMetadata& into, const DatabaseMetadata& updates) {
  bool changed = false;
  for (const auto& [name, value] : updates) {
    const auto [at, fresh] = into.try_emplace(name, value);
    if (!fresh && value.second <= at->second.second) continue;
    at->second = value;
    changed = true;
  }
  return changed;
}

std::string check_stored_metadata(const DatabaseMetadata& metadata, const Constraints& limits) {
  std::int64_t count = 0;
  std::int64_t size = 0;
  for (const auto& [name, value] : metadata) {
    if (!is_utf8(name) || !is_utf8(value.first)) return "Metadata must be valid UTF-8";
    const std::size_t prefix = user_prefix(name);
    if (prefix == 0 || value.first.empty()) continue;
    ++count;
    size += static_cast<std::int64_t>(name.size() - prefix + value.first.size());
  }
  if (count > limits.max_meta_count)
    return "Too many metadata items; max " + std::to_string(limits.max_meta_count);
  if (size > limits.max_meta_overall_size)
    return "Total metadata too large; max " + std::to_string(limits.max_meta_overall_size);
  return "";
}

}  // namespace apus
