#include "middleware/slo/rules.h"

#include <algorithm>

namespace apus::slo {

Response refuse(int status, std::string text) {
  return Response(status, std::move(text), "text/html; charset=UTF-8");
}

std::string object_path(std::string_view request_path, std::string_view name) {
  const auto path = split_api_path(request_path, 2);
  name.remove_prefix(std::min(name.find_first_not_of('/'), name.size()));
  return "/" + std::string(path->version) + "/" + std::string(path->account) + "/" +
         std::string(name);
}

std::string_view without_quotes(std::string_view etag) {
  if (etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"'))
    etag = etag.substr(1, etag.size() - 2);
  return etag;
}

Request copy_head(const Request& request) {
  Request out(request.method, request.path);
  out.raw_path = request.raw_path;
  out.query = request.query;
  out.raw_query = request.raw_query;
  out.protocol = request.protocol;
  out.headers = request.headers;
  out.internal = request.internal;
  out.context = request.context;
  return out;
}

}  // namespace apus::slo
