#include "servers/proxy/cors.h"

#include <algorithm>
#include <array>
#include <set>

namespace apus {
namespace {

constexpr std::array<std::string_view, 10> kExposed = {"cache-control", "content-language",
                                                       "content-type",  "expires",
                                                       "last-modified", "pragma",
                                                       "etag",          "x-timestamp",
                                                       "x-trans-id",    "x-openstack-request-id"};

bool is_listed(const std::vector<std::string>& list, std::string_view one) {
  return std::find(list.begin(), list.end(), one) != list.end();
}

bool origin_allowed(const Services& services, const ContainerInfo& info, std::string_view origin) {
  const std::vector<std::string> own =
      split_list(field_of(info.meta, "access-control-allow-origin"), ' ');
  const std::vector<std::string>& everywhere = services.conf.cors_allow_origin;
  return is_listed(own, origin) || is_listed(own, "*") || is_listed(everywhere, origin) ||
         is_listed(everywhere, "*");
}

void vary_by(Response& response, std::string_view field) {
  std::string vary(response.headers.get("Vary"));
  if (!vary.empty()) vary += ", ";
  response.headers.set("Vary", vary.append(field));
}

void allow_origin(const ContainerInfo& info, std::string_view origin, Response& response) {
  const bool all = trim(field_of(info.meta, "access-control-allow-origin")) == "*";
  response.headers.set("Access-Control-Allow-Origin", all ? "*" : std::string(origin));
  if (!all) vary_by(response, "Origin");
}

std::string joined(const std::set<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

}  // namespace

Response answer_options(const Exchange& exchange, std::string_view allowed,
                        const ContainerInfo* info) {
  Response out(200);
  out.headers.set("Content-Type", "text/html; charset=UTF-8");
  out.headers.set("Allow", std::string(allowed));
  const Headers& asked = exchange.request.headers;
  const std::string* origin = asked.find("Origin");
  if (origin == nullptr || origin->empty() || info == nullptr) return out;
  if (!origin_allowed(exchange.services, *info, *origin) ||
      !is_listed(split_list(allowed), asked.get("Access-Control-Request-Method"))) {
    Response denied = error_response(401);
    denied.headers.set("Allow", std::string(allowed));
    return denied;
  }
  out.headers.erase("Content-Type");
  allow_origin(*info, *origin, out);
  const auto age = info->meta.find("access-control-max-age");
  if (age != info->meta.end()) out.headers.set("Access-Control-Max-Age", age->second);
  out.headers.set("Access-Control-Allow-Methods", std::string(allowed));
  const auto fields = split_list(asked.get("Access-Control-Request-Headers"));
  if (!fields.empty()) {
    out.headers.set("Access-Control-Allow-Headers",
                    joined(std::set<std::string>(fields.begin(), fields.end())));
    vary_by(out, "Access-Control-Request-Headers");
  }
  return out;
}

void add_cors_fields(const Exchange& exchange, const ContainerInfo& info, Response& response) {
  const std::string_view origin = exchange.request.headers.get("Origin");
  const ProxyConf& conf = exchange.services.conf;
  if (conf.strict_cors && !origin_allowed(exchange.services, info, origin)) return;
  if (!response.headers.has("Access-Control-Expose-Headers")) {
    std::set<std::string> exposed(kExposed.begin(), kExposed.end());
    exposed.insert(conf.cors_expose_headers.begin(), conf.cors_expose_headers.end());
    for (const auto& [name, value] : response.headers) {
      if (starts_with_name(name, "X-Container-Meta") || starts_with_name(name, "X-Object-Meta"))
        exposed.insert(lower(name));
    }
    for (const std::string& word :
         split_list(field_of(info.meta, "access-control-expose-headers"), ' ')) {
      exposed.insert(lower(word));
    }
    response.headers.set("Access-Control-Expose-Headers", joined(exposed));
  }
  if (!response.headers.has("Access-Control-Allow-Origin")) allow_origin(info, origin, response);
}

}  // namespace apus
