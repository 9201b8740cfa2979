#include "servers/proxy/controller.h"

#include <apus/constraints.h>

#include <algorithm>

#include "servers/proxy/scatter.h"

namespace apus {

std::optional<RequestPath> split_request_path(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  path.remove_prefix(1);
  RequestPath out;
  for (std::string_view* piece : {&out.version, &out.account, &out.container}) {
    const std::size_t end = std::min(path.find('/'), path.size());
    *piece = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  out.object = path;
  if (out.version.empty()) return std::nullopt;
  return out;
}

std::optional<Response> refused(Request& request) {
  if (!request.context.authorize) return std::nullopt;
  return request.context.authorize(request);
}

std::shared_ptr<const ContainerInfo> usable_facts(std::shared_ptr<const ContainerInfo> info) {
  static const auto kNone = std::make_shared<const ContainerInfo>();
  if (info->is_success()) return info;
  return kNone;
}

std::shared_ptr<const ContainerInfo> container_facts(const Exchange& exchange) {
  return usable_facts(get_container_info(exchange.request, exchange.proxy, exchange.path.account,
                                         exchange.path.container, "GET_CONTAINER_INFO",
                                         exchange.services.limits().auto_create_account_prefix));
}

bool account_exists(const Exchange& exchange, std::int64_t* count) {
  const auto info = get_account_info(exchange.request, exchange.proxy, exchange.path.account);
  if (count != nullptr) *count = info->container_count;
  return info->is_success() && info->really_exists;
}

bool autocreate_account(const Exchange& exchange) {
  const Services& services = exchange.services;
  Request make("PUT", "/v1/" + std::string(exchange.path.account));
  make.context.trans_id = exchange.request.context.trans_id;
  make.context.timestamp = services.host.clock().timestamp();
  for (const auto& [name, value] : exchange.request.internal) {
    if (starts_with_name(name, "X-Account-Sysmeta-")) make.internal.set(name, value);
  }
  const Place place = account_place(services, exchange.path.account);
  NodeIter nodes(services, place, services.conf.defaults,
                 exchange.path.container.empty() ? "Account" : "Container");
  const Response made = scatter(services, make, {"PUT", place, "Account", nodes.primaries()}, nodes,
                                [](Request&, std::size_t) {});
  if (!made.is_success()) {
    services.log.warning("Could not autocreate account '" + place.name + "'",
                         make.context.trans_id);
    return false;
  }
  services.log.info("autocreate account '" + place.name + "'", make.context.trans_id);
  forget_account(exchange.request, exchange.path.account);
  return true;
}

Response text_answer(int status, std::string text, std::string_view type) {
  return {status, std::move(text), type};
}

std::optional<Response> too_long(std::string_view name, std::int64_t limit, std::string_view kind) {
  const std::int64_t length = text_length(name);
  if (length <= limit) return std::nullopt;
  return text_answer(400, std::string(kind) + " name length of " + std::to_string(length) +
                              " longer than " + std::to_string(limit));
}

bool is_owner_header(const Services& services, std::string_view name) {
  const auto& names = services.conf.owner_headers;
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& one) { return same_name(one, name); });
}

}  // namespace apus
