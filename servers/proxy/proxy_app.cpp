#include "servers/proxy/proxy_app.h"

#include <apus/cache.h>
#include <apus/json.h>

#include <algorithm>
#include <array>

#include "servers/proxy/checks.h"

namespace apus {
namespace {

using enum OptionType;

constexpr std::array kOptions = {
    OptionSpec{"node_timeout", kNumber, "10", "seconds a back end may be silent", 0.001, 86400},
    OptionSpec{"conn_timeout", kNumber, "0.5", "seconds to connect to one", 0.001, 86400},
    OptionSpec{"recheck_account_existence", kInt, "60", "seconds an account's facts are cached", 0,
               1e9},
    OptionSpec{"recheck_container_existence", kInt, "60", "seconds a container's facts are cached",
               0, 1e9},
    OptionSpec{"account_autocreate", kBool, "no", "make accounts on first use"},
    OptionSpec{"allow_account_management", kBool, "no", "allow PUT and DELETE of accounts"},
    OptionSpec{"expose_info", kBool, "yes", "answer /info"},
    OptionSpec{"*", kText, nullptr, "options of Swift's proxy that this one does not read yet"},
};

constexpr std::string_view kVersion = "2.30.1";
constexpr std::array<std::string_view, 9> kObjectFields = {
    "Content-Disposition",   "Content-Encoding", "X-Delete-At",      "X-Object-Manifest",
    "X-Static-Large-Object", "Cache-Control",    "Content-Language", "Expires",
    "X-Robots-Tag"};
constexpr std::array<std::string_view, 7> kReadFields = {
    "Range",    "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since",
    "X-Newest", "Accept"};
constexpr std::array<std::string_view, 8> kOwnerFields = {"X-Container-Read",
                                                          "X-Container-Write",
                                                          "X-Container-Sync-Key",
                                                          "X-Container-Sync-To",
                                                          "X-Account-Meta-Temp-Url-Key",
                                                          "X-Account-Meta-Temp-Url-Key-2",
                                                          "X-Container-Meta-Temp-Url-Key",
                                                          "X-Container-Meta-Temp-Url-Key-2"};
constexpr std::array<std::string_view, 4> kContainerFields = {
    "X-Container-Read", "X-Container-Write", "X-Container-Sync-Key", "X-Container-Sync-To"};
constexpr std::string_view kAccountMethods = "GET, HEAD, POST, OPTIONS";
constexpr std::string_view kManagedAccountMethods = "GET, HEAD, PUT, POST, DELETE, OPTIONS";
constexpr std::string_view kContainerMethods = "GET, HEAD, PUT, POST, DELETE, OPTIONS";

Response text_answer(const Request& request, int status, std::string text,
                     std::string_view type = "text/plain") {
  if (request.method == "HEAD") return error_response(status, true);
  return Response(status, std::move(text), type);
}

Response options_answer(std::string_view allow) {
  Response out(200);
  out.headers.set("Allow", std::string(allow));
  out.headers.set("Content-Type", "text/html; charset=UTF-8");
  return out;
}

template <std::size_t N>
void copy_fields(const Headers& from, Headers& to, const std::array<std::string_view, N>& names) {
  for (const std::string_view name : names) {
    if (const std::string* value = from.find(name)) to.set(name, *value);
  }
}

void copy_prefix(const Headers& from, Headers& to, std::string_view prefix) {
  for (const auto& [name, value] : from) {
    if (starts_with_name(name, prefix) && name.size() > prefix.size()) to.set(name, value);
  }
}

// X-Remove-KIND-Meta-A becomes an empty X-KIND-Meta-A.
void copy_removals(const Headers& from, Headers& to, const std::string& kind) {
  const std::string prefix = "X-Remove-" + kind + "-";
  for (const auto& [name, value] : from) {
    if (!starts_with_name(name, prefix)) continue;
    to.set("X-" + name.substr(std::string_view("X-Remove-").size()), "");
  }
}

// The filters' facts for a back end: nothing of it came from a client.
void copy_internal(const Request& from, Request& to) {
  for (const auto& [name, value] : from.internal) to.internal.set(name, value);
}

// Spreads the nodes of the next level over the copies: node j goes to copy j mod copies.
struct Spread {
  std::string partition;
  std::vector<std::string> hosts;
  std::vector<std::string> devices;
};
Spread spread(const Place& place, std::size_t copies) {
  Spread out{std::to_string(place.partition), std::vector<std::string>(copies),
             std::vector<std::string>(copies)};
  const auto nodes = place.ring->primaries(place.partition);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const RingDevice& device = *nodes[i].device;
    std::string& host = out.hosts[i % copies];
    std::string& name = out.devices[i % copies];
    host += (host.empty() ? "" : ",") + device.ip + ":" + std::to_string(device.port);
    name += (name.empty() ? "" : ",") + device.device;
  }
  return out;
}
void dress_with(Request& to, const Spread& by, std::size_t index, const char* kind) {
  if (index >= by.hosts.size() || by.hosts[index].empty()) return;
  const std::string prefix = std::string("X-") + kind + "-";
  to.internal.set(prefix + "Partition", by.partition);
  to.internal.set(prefix + "Host", by.hosts[index]);
  to.internal.set(prefix + "Device", by.devices[index]);
}

}  // namespace

ProxyApp::ProxyApp(const PluginArgs& args)
    : host_(args.host),
      log_(args.host.logger(args.options)),
      backends_(args.host, log_,
                {args.options.seconds("conn_timeout"), args.options.seconds("node_timeout")}),
      autocreate_(args.options.flag("account_autocreate")),
      account_management_(args.options.flag("allow_account_management")),
      expose_info_(args.options.flag("expose_info")),
      recheck_container_(args.options.integer("recheck_container_existence")) {
  const Constraints& limits = host_.swift_conf().constraints;
  Json section;
  section.set("version", std::string(kVersion));
  section.set("strict_cors_mode", true);
  Json::Array policies;
  for (const StoragePolicy& policy : host_.swift_conf().policies) {
    if (policy.deprecated) continue;
    Json entry;
    entry.set("name", policy.name);
    std::string aliases = policy.name;
    for (const std::string& alias : policy.aliases) aliases += ", " + alias;
    entry.set("aliases", aliases);
    if (policy.is_default) entry.set("default", true);
    policies.push_back(std::move(entry));
  }
  section.set("policies", std::move(policies));
  section.set("allow_account_management", account_management_);
  section.set("account_autocreate", autocreate_);
  section.set("max_file_size", limits.max_file_size);
  section.set("max_meta_name_length", limits.max_meta_name_length);
  section.set("max_meta_value_length", limits.max_meta_value_length);
  section.set("max_meta_count", limits.max_meta_count);
  section.set("max_meta_overall_size", limits.max_meta_overall_size);
  section.set("max_header_size", limits.max_header_size);
  section.set("max_object_name_length", limits.max_object_name_length);
  section.set("container_listing_limit", limits.container_listing_limit);
  section.set("account_listing_limit", limits.account_listing_limit);
  section.set("max_account_name_length", limits.max_account_name_length);
  section.set("max_container_name_length", limits.max_container_name_length);
  section.set("extra_header_count", limits.extra_header_count);
  host_.info().set("swift", section.dump());
}

std::optional<Response> ProxyApp::refused(Request& request) {
  if (!request.context.authorize) return std::nullopt;
  return request.context.authorize(request);
}

Response ProxyApp::info(const Request& request) const {
  if (!expose_info_) return error_response(403, request.method == "HEAD");
  if (request.method == "OPTIONS") {
    return options_answer("GET, HEAD, OPTIONS");
  }
  if (request.method != "GET" && request.method != "HEAD")
    return method_not_allowed(request, "GET, HEAD, OPTIONS");
  static const std::vector<std::string> kHidden = {"swift.auto_create_account_prefix",
                                                   "swift.valid_api_versions"};
  Response out(200, host_.info().document(false, kHidden), "application/json; charset=UTF-8");
  if (request.method == "HEAD") out.body.reset();
  return out;
}

Response ProxyApp::operator()(Request& request) const {
  if (!request.context.timestamp) request.context.timestamp = host_.clock().timestamp();
  if (!is_utf8(request.path) || request.path.find('\0') != std::string::npos) {
    return text_answer(request, 412, "Invalid UTF8 or contains NULL", "text/html; charset=UTF-8");
  }
  if (request.path == "/info") return info(request);
  const auto path = split_api_path(request.path, 1);
  if (!path) return error_response(404, request.method == "HEAD");
  const auto& versions = host_.swift_conf().constraints.valid_api_versions;
  if (std::find(versions.begin(), versions.end(), path->version) == versions.end() ||
      path->account.empty()) {
    const bool bad_url = path->account.empty() && request.path.starts_with("/v1") &&
                         request.path.size() > 3 && path->version == "v1" &&
                         request.path.find('/', 1) != std::string::npos;
    return bad_url ? text_answer(request, 412, "Bad URL")
                   : error_response(404, request.method == "HEAD");
  }
  Response out;
  if (!path->object.empty()) {
    out = object(request, *path);
  } else if (!path->container.empty()) {
    out = container(request, *path);
  } else {
    out = account(request, *path);
  }
  finish(request, out);
  return out;
}

// What clients must not see, and what every answer has.
void ProxyApp::finish(Request& request, Response& response) const {
  response.headers.erase("X-PUT-Timestamp");
  if (request.context.swift_owner) return;
  for (const std::string_view name : kOwnerFields) response.headers.erase(name);
}

bool ProxyApp::create_account(const Request& request, std::string_view account) const {
  const Response made =
      backends_.write(request, "PUT", backends_.account(account), [](Request&, std::size_t) {});
  return made.is_success();
}

bool ProxyApp::ensure_account(const Request& request, std::string_view account) const {
  Cache* cache = request.context.cache;
  const std::string key = "account/" + std::string(account);
  if (cache != nullptr) {
    if (const auto known = cache->get(key)) {
      const auto json = Json::parse(*known);
      const Json* status = json ? json->find("status") : nullptr;
      if (status != nullptr && status->number().value_or(0) / 100 == 2) return true;
    }
  }
  const Response found =
      backends_.read(request, "HEAD", backends_.account(account), [](Request&, std::size_t) {});
  bool there = found.is_success();
  if (!there && found.status == 404 && autocreate_ && !found.headers.has("X-Account-Status")) {
    there = create_account(request, account);
  }
  return there;
}

ContainerFacts ProxyApp::container_facts(const Request& request, std::string_view account,
                                         std::string_view container) const {
  Cache* cache = request.context.cache;
  const std::string key = "container/" + std::string(account) + "/" + std::string(container);
  ContainerFacts out;
  if (cache != nullptr) {
    if (const auto known = cache->get(key)) {
      const auto json = Json::parse(*known);
      const auto text = [&](std::string_view name) {
        const Json* value = json ? json->find(name) : nullptr;
        return value != nullptr && value->text() != nullptr ? *value->text() : std::string();
      };
      const Json* status = json ? json->find("status") : nullptr;
      if (status != nullptr && status->integer() != nullptr) {
        out.status = static_cast<int>(*status->integer());
        out.policy = static_cast<int>(parse_int(text("storage_policy")).value_or(0));
        out.read_acl = text("read_acl");
        out.write_acl = text("write_acl");
        return out;
      }
    }
  }
  const Response found = backends_.read(request, "HEAD", backends_.container(account, container),
                                        [](Request&, std::size_t) {});
  out.status = found.status;
  out.policy =
      static_cast<int>(parse_int(found.internal.get("X-Backend-Storage-Policy-Index")).value_or(0));
  out.read_acl = found.headers.get("X-Container-Read");
  out.write_acl = found.headers.get("X-Container-Write");
  if (cache != nullptr && (found.is_success() || found.status == 404)) {
    Json value;
    value.set("status", out.status);
    value.set("read_acl", out.read_acl.empty() ? Json() : Json(out.read_acl));
    value.set("write_acl", out.write_acl.empty() ? Json() : Json(out.write_acl));
    for (const auto& [name, field] :
         {std::pair<const char*, const char*>{"sync_to", "X-Container-Sync-To"},
          {"sync_key", "X-Container-Sync-Key"},
          {"object_count", "X-Container-Object-Count"},
          {"bytes", "X-Container-Bytes-Used"},
          {"versions", "X-Versions-Location"}}) {
      const std::string* text = found.headers.find(field);
      value.set(name, text != nullptr ? Json(*text) : Json());
    }
    value.set("storage_policy", std::to_string(out.policy));
    Json meta{Json::Object{}};
    Json sysmeta{Json::Object{}};
    for (const auto& [name, text] : found.headers) {
      if (starts_with_name(name, "X-Container-Meta-")) meta.set(lower(name.substr(17)), text);
    }
    for (const auto& [name, text] : found.internal) {
      if (starts_with_name(name, "X-Container-Sysmeta-")) sysmeta.set(lower(name.substr(20)), text);
    }
    value.set("meta", std::move(meta));
    value.set("sysmeta", std::move(sysmeta));
    value.set("sharding_state", "unsharded");
    const auto ttl = found.is_success()
                         ? recheck_container_
                         : std::max(std::chrono::seconds(1), recheck_container_ / 10);
    if (recheck_container_.count() > 0) cache->set(key, value.dump(), ttl);
  }
  return out;
}

void ProxyApp::forget(const Request& request, std::string_view account,
                      std::string_view container) const {
  if (request.context.cache == nullptr) return;
  if (container.empty()) {
    request.context.cache->remove("account/" + std::string(account));
  } else {
    request.context.cache->remove("container/" + std::string(account) + "/" +
                                  std::string(container));
  }
}

Response ProxyApp::account(Request& request, const ApiPath& path) const {
  const std::string& method = request.method;
  const std::string_view allowed = account_management_ ? kManagedAccountMethods : kAccountMethods;
  const Constraints& limits = host_.swift_conf().constraints;
  const auto verbs = split_list(allowed);
  if (std::find(verbs.begin(), verbs.end(), method) == verbs.end())
    return method_not_allowed(request, allowed);
  if (auto refusal = refused(request)) return std::move(*refusal);
  if (method == "OPTIONS") {
    return options_answer(allowed);
  }
  if (static_cast<std::int64_t>(path.account.size()) > limits.max_account_name_length) {
    return text_answer(request, 400,
                       "Account name length of " + std::to_string(path.account.size()) +
                           " longer than " + std::to_string(limits.max_account_name_length));
  }
  const Place place = backends_.account(path.account);
  if (method == "GET" || method == "HEAD") {
    Query query = request.query;
    query.set("format", "json");
    Response out = backends_.read(
        request, method, place, [](Request&, std::size_t) {}, query);
    if (out.status == 404 && out.headers.has("X-Account-Status"))
      return error_response(410, method == "HEAD");
    if (out.is_success()) out.headers.set("Accept-Ranges", "bytes");
    if (out.status != 404 || !autocreate_) return out;
    // An account nobody has written to yet looks empty.
    Response fresh(method == "HEAD" ? 204 : 200);
    const std::string zero = "0";
    for (const char* name :
         {"X-Account-Container-Count", "X-Account-Object-Count", "X-Account-Bytes-Used"}) {
      fresh.headers.set(name, zero);
    }
    fresh.headers.set("X-Timestamp", request.context.timestamp->normal());
    fresh.headers.set("Content-Type", "application/json; charset=utf-8");
    if (method == "GET") {
      fresh.body = std::make_unique<StringSource>("[]");
      fresh.content_length = 2;
    }
    return fresh;
  }
  if (auto bad = bad_metadata(request, "Account", limits)) return std::move(*bad);
  forget(request, path.account, {});
  const auto dress = [&](Request& to, std::size_t) {
    copy_prefix(request.headers, to.headers, "X-Account-Meta-");
    copy_removals(request.headers, to.headers, "Account");
    copy_internal(request, to);
  };
  Response out = backends_.write(request, method, place, dress);
  if (method == "POST" && out.status == 404 && autocreate_ &&
      create_account(request, path.account)) {
    out = backends_.write(request, method, place, dress);
  }
  return out;
}

Response ProxyApp::container(Request& request, const ApiPath& path) const {
  const std::string& method = request.method;
  const Constraints& limits = host_.swift_conf().constraints;
  const auto verbs = split_list(kContainerMethods);
  if (std::find(verbs.begin(), verbs.end(), method) == verbs.end())
    return method_not_allowed(request, kContainerMethods);
  if (method == "OPTIONS") {
    return options_answer(kContainerMethods);
  }
  const bool reads = method == "GET" || method == "HEAD";
  if (!reads) {
    if (auto refusal = refused(request)) return std::move(*refusal);
    if (auto bad = bad_metadata(request, "Container", limits)) return std::move(*bad);
  }
  if (method == "PUT" &&
      static_cast<std::int64_t>(path.container.size()) > limits.max_container_name_length) {
    return text_answer(request, 400,
                       "Container name length of " + std::to_string(path.container.size()) +
                           " longer than " + std::to_string(limits.max_container_name_length));
  }
  const Place place = backends_.container(path.account, path.container);
  if (reads) {
    const ContainerFacts facts = container_facts(request, path.account, path.container);
    request.context.acl = facts.read_acl;
    if (auto refusal = refused(request)) return std::move(*refusal);
    if (facts.status == 404) return error_response(404, method == "HEAD");
    Query query = request.query;
    query.set("format", "json");
    Response out = backends_.read(
        request, method, place, [&](Request& to, std::size_t) { copy_internal(request, to); },
        query);
    const auto index = parse_int(out.internal.get("X-Backend-Storage-Policy-Index"));
    if (out.is_success()) {
      out.headers.set("Accept-Ranges", "bytes");
      const StoragePolicy* policy =
          index ? host_.swift_conf().policy(static_cast<int>(*index)) : nullptr;
      if (policy != nullptr) out.headers.set("X-Storage-Policy", policy->name);
    }
    return out;
  }
  std::optional<int> policy;
  if (method == "PUT") {
    if (const std::string* name = request.headers.find("X-Storage-Policy");
        name != nullptr && !trim(*name).empty()) {
      const StoragePolicy* chosen = host_.swift_conf().policy(trim(*name));
      if (chosen == nullptr)
        return text_answer(request, 400, "Invalid X-Storage-Policy '" + *name + "'");
      if (chosen->deprecated)
        return text_answer(request, 400, "Storage Policy '" + *name + "' is deprecated");
      policy = chosen->index;
    }
  }
  if (!ensure_account(request, path.account)) return error_response(404);
  const std::size_t copies = place.ring->primaries(place.partition).size();
  const Spread accounts = spread(backends_.account(path.account), copies);
  const auto dress = [&](Request& to, std::size_t index) {
    copy_prefix(request.headers, to.headers, "X-Container-Meta-");
    copy_fields(request.headers, to.headers, kContainerFields);
    copy_removals(request.headers, to.headers, "Container");
    copy_internal(request, to);
    if (method == "POST") return;
    dress_with(to, accounts, index, "Account");
    if (policy)
      to.internal.set("X-Backend-Storage-Policy-Index", std::to_string(*policy));
    else
      to.internal.set("X-Backend-Storage-Policy-Default",
                      std::to_string(host_.swift_conf().default_policy().index));
  };
  Response out = backends_.write(request, method, place, dress);
  forget(request, path.account, path.container);
  if (method == "DELETE" && out.status == 202) return error_response(404);
  return out;
}

Response ProxyApp::object(Request& request, const ApiPath& path) const {
  const std::string& method = request.method;
  constexpr std::string_view kMethods = "GET, HEAD, PUT, POST, DELETE, OPTIONS";
  const bool known = method == "GET" || method == "HEAD" || method == "PUT" || method == "POST" ||
                     method == "DELETE" || method == "OPTIONS";
  if (!known) return method_not_allowed(request, kMethods);
  if (method == "OPTIONS") {
    return options_answer(kMethods);
  }
  const ContainerFacts facts = container_facts(request, path.account, path.container);
  if (facts.status / 100 == 5) return error_response(503, method == "HEAD");
  const bool reads = method == "GET" || method == "HEAD";
  request.context.acl = reads ? facts.read_acl : facts.write_acl;
  request.context.policy_index = facts.policy;
  if (auto refusal = refused(request)) return std::move(*refusal);
  if (method == "PUT") return put_object(request, path, facts);
  if (!reads && facts.status / 100 != 2) return error_response(404);
  const std::string policy = std::to_string(facts.policy);
  const Place place = backends_.object(facts.policy, path.account, path.container, path.object);
  if (reads) {
    Response out = backends_.read(request, method, place, [&](Request& to, std::size_t) {
      copy_fields(request.headers, to.headers, kReadFields);
      copy_internal(request, to);
      to.internal.set("X-Backend-Storage-Policy-Index", policy);
    });
    return out;
  }
  const auto now = static_cast<std::int64_t>(host_.clock().now());
  if (method == "POST") {
    if (auto bad = bad_expiry(request, now)) return std::move(*bad);
    if (auto bad = bad_metadata(request, "Object", host_.swift_conf().constraints))
      return std::move(*bad);
  }
  const std::size_t copies = place.ring->primaries(place.partition).size();
  const Spread containers = spread(backends_.container(path.account, path.container), copies);
  return backends_.write(request, method, place, [&](Request& to, std::size_t index) {
    if (method == "POST") {
      copy_prefix(request.headers, to.headers, "X-Object-Meta-");
      copy_fields(request.headers, to.headers, kObjectFields);
      if (const std::string* type = request.headers.find("Content-Type");
          type != nullptr && !type->empty()) {
        to.headers.set("Content-Type", *type);
      }
    }
    copy_internal(request, to);
    to.internal.set("X-Backend-Storage-Policy-Index", policy);
    dress_with(to, containers, index, "Container");
  });
}

Response ProxyApp::put_object(Request& request, const ApiPath& path,
                              const ContainerFacts& facts) const {
  if (facts.status / 100 != 2) return error_response(404);
  if (const std::string* condition = request.headers.find("If-None-Match");
      condition != nullptr && *condition != "*") {
    return text_answer(request, 400, "If-None-Match only supports *");
  }
  const auto now = static_cast<std::int64_t>(host_.clock().now());
  if (auto bad = bad_object(request, path.object, host_.swift_conf().constraints, now))
    return std::move(*bad);
  const Place place = backends_.object(facts.policy, path.account, path.container, path.object);
  const std::size_t copies = place.ring->primaries(place.partition).size();
  const Spread containers = spread(backends_.container(path.account, path.container), copies);
  const std::string policy = std::to_string(facts.policy);
  Response out = backends_.upload(request, place, [&](Request& to, std::size_t index) {
    copy_prefix(request.headers, to.headers, "X-Object-Meta-");
    copy_fields(request.headers, to.headers, kObjectFields);
    for (const char* name : {"Content-Type", "Etag", "If-None-Match"}) {
      if (const std::string* value = request.headers.find(name)) to.headers.set(name, *value);
    }
    copy_internal(request, to);
    to.internal.set("X-Backend-Storage-Policy-Index", policy);
    dress_with(to, containers, index, "Container");
  });
  if (out.status == 409) out = error_response(202);
  if (out.status == 201)
    out.headers.set("Last-Modified", http_date(request.context.timestamp->ceil_seconds()));
  return out;
}

APUS_EXPORT_APP("proxy", "1.0", ProxyApp, kOptions)

}  // namespace apus
