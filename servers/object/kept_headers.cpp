#include "servers/object/kept_headers.h"

#include <algorithm>

namespace apus {
namespace {

bool is_longer(std::string_view name, std::string_view prefix) {
  return name.size() > prefix.size() && starts_with_name(name, prefix);
}

// What an object's own file says of its bytes is never a client's to set.
bool is_reserved(std::string_view name) {
  return same_name(name, "Content-Length") || same_name(name, "ETag") || same_name(name, "Deleted");
}

const std::string* find_anywhere(const Request& request, std::string_view name) {
  if (const std::string* value = request.internal.find(name)) return value;
  return request.headers.find(name);
}

}  // namespace

bool is_user_metadata(std::string_view name) { return is_longer(name, "X-Object-Meta-"); }
bool is_system_metadata(std::string_view name) { return is_longer(name, "X-Object-Sysmeta-"); }
bool is_transient_metadata(std::string_view name) {
  return is_longer(name, "X-Object-Transient-Sysmeta-");
}

KeptHeaders::KeptHeaders(const std::vector<std::string>& allowed) {
  for (const std::string& name : allowed) {
    if (!is_reserved(name)) allowed_.push_back(title_case(name));
  }
}

bool KeptHeaders::is_allowed(std::string_view name) const {
  return std::any_of(allowed_.begin(), allowed_.end(),
                     [&](const std::string& allowed) { return same_name(name, allowed); });
}

void KeptHeaders::copy(const Request& request, ObjectMetadata& to, bool with_sysmeta) const {
  for (const auto& [name, value] : request.headers) {
    if (is_user_metadata(name) || is_allowed(name)) to.set(name, std::string(trim(value)));
  }
  for (const auto& [name, value] : request.internal) {
    if (is_transient_metadata(name) || (with_sysmeta && is_system_metadata(name)))
      to.set(name, value);
  }
  const std::string* more = request.internal.find("X-Backend-Replication-Headers");
  if (more == nullptr) return;
  for (const std::string& name : split_list(*more, ' ')) {
    if (const std::string* value = find_anywhere(request, name)) to.set(name, *value);
  }
}

void KeptHeaders::copy_for_put(const Request& request, ObjectMetadata& to) const {
  copy(request, to, true);
}

void KeptHeaders::copy_for_post(const Request& request, ObjectMetadata& to) const {
  copy(request, to, false);
}

void KeptHeaders::copy_footers(const Headers& footers, ObjectMetadata& to) {
  for (const auto& [name, value] : footers) {
    if (is_user_metadata(name) || is_system_metadata(name) || is_transient_metadata(name))
      to.set(name, value);
  }
}

void KeptHeaders::show(const ObjectMetadata& metadata, Response& to) const {
  to.headers.set("Content-Type",
                 std::string(metadata.get("Content-Type", "application/octet-stream")));
  for (const auto& [name, value] : metadata) {
    if (is_system_metadata(name) || is_transient_metadata(name)) {
      to.internal.set(name, value);
    } else if (is_user_metadata(name) || is_allowed(name)) {
      to.headers.set(name, value);
    }
  }
}

}  // namespace apus
