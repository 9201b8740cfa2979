#include "middleware/versioned_writes/moves.h"

#include <apus/account_info.h>

namespace apus::versioned_writes {

std::string container_path(const ApiPath& of, std::string_view container) {
  return "/" + std::string(of.version) + "/" + std::string(of.account) + "/" +
         std::string(container);
}

std::string object_path(const ApiPath& of, std::string_view container, std::string_view object) {
  return container_path(of, container) + "/" + std::string(object);
}

bool is_object_sysmeta(std::string_view name) {
  return starts_with_name(name, "X-Object-Sysmeta-") ||
         starts_with_name(name, "X-Object-Transient-Sysmeta-");
}

Response read_as_is(const Request& parent, const App& next, const std::string& path,
                    std::string_view source, std::uint64_t max_size) {
  Request get = make_subrequest(parent, "GET", path, source, true);
  get.query.set("symlink", "get");
  get.headers.set("X-Newest", "True");
  Response found = next(get);
  if (!found.content_length || *found.content_length > max_size) return error_response(413);
  return found;
}

Response store(const Request& parent, const App& next, const std::string& path,
               std::string_view source, Response found, bool reserved) {
  Request put = make_subrequest(parent, "PUT", path, source, true);
  put.context.allow_reserved_names = reserved || put.context.allow_reserved_names;
  copy_metadata(found.headers, put.headers,
                [](std::string_view name) { return same_name(name, "X-Timestamp"); });
  copy_metadata(found.internal, put.internal,
                [](std::string_view name) { return !is_object_sysmeta(name); });
  if (const std::string* size = put.internal.find("X-Object-Sysmeta-Slo-Size")) {
    put.headers.set("Content-Type",
                    std::string(put.headers.get("Content-Type")) + "; swift_bytes=" + *size);
    put.context.content_type_overridden = true;
  }
  put.content_length = found.content_length;
  put.body = std::move(found.body);
  return next(put);
}

Timestamp written_at(const Response& found) {
  if (const auto exact = Timestamp::parse(found.headers.get("X-Timestamp"))) return *exact;
  const auto date = parse_http_date(found.headers.get("Last-Modified"));
  return Timestamp::from_seconds(static_cast<double>(date.value_or(0)));
}

std::optional<Response> refused_to_write(Request& request, const App& next,
                                         std::string_view source) {
  if (!request.context.authorize) return std::nullopt;
  const auto path = split_api_path(request.path, 3);
  if (!path) return std::nullopt;
  const auto info = get_container_info(request, next, path->account, path->container, source);
  request.context.acl = info->write_acl;
  return request.context.authorize(request);
}

}  // namespace apus::versioned_writes
