#include "framework/ssync/updates.h"

#include <apus/text.h>

#include <algorithm>
#include <vector>

#include "framework/http/head.h"

namespace apus::ssync {
namespace {

bool is_field(const Headers::Field& field) {
  return !field.first.empty() && field.first.find(':') == std::string::npos &&
         http::is_sendable(field.first) && http::is_sendable(field.second);
}

bool about_the_file(std::string_view name) {
  return same_name(name, "name") || same_name(name, "Content-Length");
}

}  // namespace

std::optional<std::string> encode_update(std::string_view method, std::string_view name,
                                         const Headers& fields) {
  std::vector<Headers::Field> sorted(fields.begin(), fields.end());
  if (!std::all_of(sorted.begin(), sorted.end(), is_field)) return std::nullopt;
  std::sort(sorted.begin(), sorted.end());
  std::string out = std::string(method) + " " + quote(name) + "\r\n";
  for (const auto& [key, value] : sorted) out.append(key).append(": ").append(value).append("\r\n");
  return out + "\r\n";
}

Headers put_fields(const OpenObject& object, bool durable) {
  Headers out;
  out.append_known_new("Content-Length", std::to_string(object.size));
  if (!durable) out.append_known_new("X-Backend-No-Commit", "True");
  for (const auto& [name, value] : object.data_metadata()) {
    if (!about_the_file(name)) out.append_known_new(name, value);
  }
  return out;
}

Headers post_fields(const OpenObject& object) {
  Headers out;
  for (const auto& [name, value] : object.meta_file()) {
    if (!about_the_file(name)) out.append_known_new(name, value);
  }
  if (object.content_type_timestamp > object.data_timestamp) {
    out.set("Content-Type", std::string(object.metadata().get("Content-Type")));
    out.set("Content-Type-Timestamp", object.content_type_timestamp.internal());
  }
  return out;
}

}  // namespace apus::ssync
