#include "servers/proxy/container_controller.h"

#include <apus/constraints.h>

#include <algorithm>

#include "servers/proxy/backend_request.h"
#include "servers/proxy/reader.h"
#include "servers/proxy/row_updates.h"
#include "servers/proxy/scatter.h"

namespace apus {
namespace {

constexpr std::size_t kMaxUpdateBody = 64U << 20U;

// The parameters of a listing that must be text, and its limit.
std::optional<Response> bad_parameters(const Request& request, std::int64_t most) {
  for (const char* name : {"marker", "end_marker", "prefix", "delimiter", "path", "format",
                           "reverse", "states", "includes", "limit"}) {
    const std::string* value = request.query.find(name);
    if (value != nullptr && !is_utf8(*value)) {
      return text_answer(400, "\"" + std::string(name) + "\" parameter not valid UTF-8",
                         "text/plain");
    }
  }
  const std::string* limit = request.query.find("limit");
  const bool digits = limit != nullptr && !limit->empty() &&
                      limit->find_first_not_of("0123456789") == std::string::npos;
  if (digits && parse_digits(*limit).value_or(most + 1) > most)
    return text_answer(412, "Maximum limit is " + std::to_string(most));
  return std::nullopt;
}

// The friendly name of the policy that a back end named by its index.
void name_policy(const Services& services, Response& response) {
  const std::string* index = response.internal.find(kPolicyIndex);
  if (index == nullptr || !response.is_success()) return;
  const StoragePolicy* policy =
      services.host.swift_conf().policy(static_cast<int>(parse_int(*index).value_or(-1)));
  if (policy != nullptr) {
    response.headers.set("X-Storage-Policy", policy->name);
  } else {
    services.log.error("Could not translate X-Backend-Storage-Policy-Index ('" + *index +
                       "') to policy");
  }
}

}  // namespace

std::string_view ContainerController::allowed() const {
  return is_true(x_.request.internal.get("X-Backend-Allow-Private-Methods"))
             ? "GET, HEAD, PUT, POST, DELETE, OPTIONS, UPDATE"
             : "GET, HEAD, PUT, POST, DELETE, OPTIONS";
}

Response ContainerController::handle() const {
  const std::string& method = x_.request.method;
  if (method == "PUT") return put();
  if (method == "POST") return post();
  if (method == "DELETE") return remove();
  if (method == "UPDATE") return update();
  if (method == "GET") {
    if (auto bad = bad_parameters(x_.request, x_.services.limits().container_listing_limit))
      return std::move(*bad);
  }
  return read();
}

Response ContainerController::from_backend() const {
  ReadPlan plan{container_place(x_.services, x_.path.account, x_.path.container), "Container",
                x_.services.conf.defaults, x_.request.query};
  Response out = read_from(x_.services, x_.request, std::move(plan));
  name_policy(x_.services, out);
  return out;
}

// A listing may be made of shards: those of a container that is known to be sharded come from the
// cache, else the container tells them, and whether all of them, so that they can be cached.
Response ContainerController::listing(const std::shared_ptr<const ContainerInfo>& known) const {
  Request& request = x_.request;
  const bool cacheable = x_.services.conf.recheck_listing_shards.count() > 0 &&
                         request.context.cache != nullptr &&
                         !is_true(request.internal.get("X-Backend-Include-Deleted"));
  if (!cacheable) return from_backend();
  if (known != nullptr && !is_true(request.headers.get("X-Newest"))) {
    if (auto cached = cached_listing_shards(x_, *known)) {
      name_policy(x_.services, *cached);
      return std::move(*cached);
    }
  }
  request.internal.set("X-Backend-Override-Shard-Name-Filter", "sharded");
  Response out = from_backend();
  remember_listing_shards(x_, out);
  return out;
}

Response ContainerController::read() const {
  Request& request = x_.request;
  const bool automatic =
      x_.path.account.starts_with(x_.services.limits().auto_create_account_prefix);
  if (!automatic && !account_exists(x_)) {
    if (auto refusal = refused(request)) return std::move(*refusal);
    return error_response(404, x_.is_head());
  }
  request.query.set("format", "json");
  std::string type = lower(request.internal.get("X-Backend-Record-Type"));
  if (type.empty()) {
    type = "auto";
    request.internal.set("X-Backend-Record-Type", type);
    request.query.set("states", "listing");
  }
  const bool shards_may_come =
      request.method == "GET" && request.query.get("states") == "listing" && type != "object";
  Response out;
  if (shards_may_come) {
    out = listing(cached_container_info(request, x_.path.account, x_.path.container));
  } else {
    out = from_backend();
  }
  if (request.method == "GET" && type == "auto" &&
      lower(out.internal.get("X-Backend-Record-Type")) == "shard") {
    ShardHistory own;
    out = list_from_shards(x_, std::move(out), history_ != nullptr ? *history_ : own);
  }
  if (!is_true(out.internal.get("X-Backend-Cached-Results"))) {
    remember_container(request, x_.path.account, x_.path.container, out,
                       x_.services.conf.recheck_container);
  }
  request.context.acl = out.headers.get("X-Container-Read");
  if (auto refusal = refused(request)) return std::move(*refusal);
  if (!request.context.swift_owner) {
    out.headers.erase_if([&](std::string_view name) { return is_owner_header(x_.services, name); });
  }
  if (request.context.reseller_request) {
    const bool sharding = is_true(out.internal.get("X-Container-Sysmeta-Sharding"));
    out.headers.set("X-Container-Sharding", sharding ? "True" : "False");
  }
  return out;
}

std::optional<Response> ContainerController::wrong_policy(std::optional<int>& policy) const {
  const std::string_view name = x_.request.headers.get("X-Storage-Policy");
  if (name.empty()) return std::nullopt;
  const StoragePolicy* chosen = x_.services.host.swift_conf().policy(name);
  if (chosen == nullptr) {
    return text_answer(400, "Invalid X-Storage-Policy '" + std::string(name) + "'", "text/plain");
  }
  if (chosen->deprecated)
    return text_answer(400, "Storage Policy '" + chosen->name + "' is deprecated");
  policy = chosen->index;
  return std::nullopt;
}

// Owner's fields of others are dropped; a reseller may say that a container shall be sharded.
void ContainerController::prepare_write() const {
  Request& request = x_.request;
  if (!request.context.swift_owner) {
    request.headers.erase_if(
        [&](std::string_view name) { return is_owner_header(x_.services, name); });
  }
  const std::string* sharding = request.headers.find("X-Container-Sharding");
  if (request.context.reseller_request && sharding != nullptr) {
    request.internal.set("X-Container-Sysmeta-Sharding", is_true(*sharding) ? "True" : "False");
  }
}

void ContainerController::forget() const {
  forget_container(x_.request, x_.path.account, x_.path.container);
}

Response ContainerController::send(const char* method, bool with_accounts,
                                   std::optional<int> policy) const {
  const Services& services = x_.services;
  const Place place = container_place(services, x_.path.account, x_.path.container);
  NodeIter nodes(services, place, services.conf.defaults, "Container");
  const std::size_t count = nodes.primaries();
  std::optional<RowUpdates> accounts;
  if (with_accounts) {
    accounts.emplace(count);
    accounts->spread(account_place(services, x_.path.account), count);
  }
  const int fallback = services.host.swift_conf().default_policy().index;
  return scatter(services, x_.request, {method, place, "Container", count}, nodes,
                 [&](Request& to, std::size_t index) {
                   copy_metadata(x_.request, to, "Container");
                   copy_container_fields(x_.request, to);
                   if (!accounts) return;
                   to.internal.erase(kPolicyIndex);
                   if (policy)
                     to.internal.set(kPolicyIndex, std::to_string(*policy));
                   else
                     to.internal.set("X-Backend-Storage-Policy-Default", std::to_string(fallback));
                   accounts->dress(to, index, "X-Account-");
                 });
}

Response ContainerController::put() const {
  const Services& services = x_.services;
  if (auto bad = check_metadata(x_.request, MetadataKind::kContainer, services.limits()))
    return std::move(*bad);
  std::optional<int> policy;
  if (auto bad = wrong_policy(policy)) return std::move(*bad);
  prepare_write();
  if (auto bad = too_long(x_.path.container, max_container_name(x_.path.account, services.limits()),
                          "Container"))
    return std::move(*bad);
  std::int64_t count = 0;
  bool exists = account_exists(x_, &count);
  if (!exists && services.conf.account_autocreate) {
    if (!autocreate_account(x_)) return error_response(503);
    exists = account_exists(x_, &count);
  }
  if (!exists) return error_response(404);
  const auto& free = services.conf.max_containers_whitelist;
  const std::int64_t most = services.conf.max_containers;
  if (most > 0 && most <= count &&
      std::find(free.begin(), free.end(), x_.path.account) == free.end() &&
      !container_facts(x_)->is_success()) {
    return text_answer(403, "Reached container limit of " + std::to_string(most));
  }
  Response out = send("PUT", true, policy);
  forget();
  return out;
}

Response ContainerController::post() const {
  if (auto bad = check_metadata(x_.request, MetadataKind::kContainer, x_.services.limits()))
    return std::move(*bad);
  prepare_write();
  if (!account_exists(x_)) return error_response(404);
  forget();
  return send("POST", false, std::nullopt);
}

Response ContainerController::remove() const {
  if (!account_exists(x_)) return error_response(404);
  forget();
  Response out = send("DELETE", true, std::nullopt);
  // No server had the container.
  if (out.status == 202) return error_response(404);
  return out;
}

// Rows for the databases, from servers alone.
Response ContainerController::update() const {
  const Services& services = x_.services;
  const Place place = container_place(services, x_.path.account, x_.path.container);
  NodeIter nodes(services, place, services.conf.defaults, "Container");
  ScatterPlan plan{"UPDATE", place, "Container", nodes.primaries()};
  plan.body = read_all(x_.request.body.get(), kMaxUpdateBody);
  return scatter(services, x_.request, plan, nodes, [](Request&, std::size_t) {});
}

}  // namespace apus
