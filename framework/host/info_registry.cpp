#include "framework/host/info_registry.h"

#include <apus/text.h>

#include <algorithm>

namespace apus {
namespace {

Json::Object members_without(const Json& section, std::string_view path) {
  Json::Object kept;
  for (const auto& [name, value] : *section.object()) {
    if (name == path) continue;
    const bool below = path.starts_with(name) && path.substr(name.size()).starts_with('.') &&
                       value.object() != nullptr;
    kept.emplace_back(name,
                      below ? Json(members_without(value, path.substr(name.size() + 1))) : value);
  }
  return kept;
}

}  // namespace

ProcessInfo::ProcessInfo() = default;
ProcessInfo::~ProcessInfo() = default;

void ProcessInfo::set(std::string_view section, std::string_view json, bool admin) {
  auto value = Json::parse(json);
  if (!value || value->object() == nullptr) value = Json(Json::Object{});
  const std::lock_guard lock(mutex_);
  (admin ? admin_ : open_).insert_or_assign(std::string(section), std::move(*value));
}

std::string ProcessInfo::document(bool admin, std::span<const std::string> hidden) const {
  Json out{Json::Object{}};
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, value] : open_) out.set(name, value);
    if (admin) {
      Json sections{Json::Object{}};
      for (const auto& [name, value] : admin_) sections.set(name, value);
      Json::Array names(hidden.begin(), hidden.end());
      sections.set("disallowed_sections", Json(std::move(names)));
      out.set("admin", std::move(sections));
    }
  }
  for (const std::string& path : hidden) out = Json(members_without(out, path));
  return out.dump();
}

}  // namespace apus
