#include <apus/account_info.h>
#include <apus/cache.h>

#include <algorithm>

namespace apus {
namespace {

constexpr std::chrono::seconds kUsualTtl{60};

std::string account_key(std::string_view account) { return "account/" + std::string(account); }

std::string container_key(std::string_view account, std::string_view container) {
  std::string key;
  key.reserve(11 + account.size() + container.size());
  return key.append("container/").append(account).append("/").append(container);
}

InfoCache& own_cache(Request& request) {
  if (request.context.info_cache == nullptr)
    request.context.info_cache = std::make_shared<InfoCache>();
  return *request.context.info_cache;
}

std::int64_t number_in(const Headers& fields, std::string_view name) {
  return parse_int(fields.get(name)).value_or(0);
}

void take_fields(const Headers& from, std::string_view prefix, InfoFields& to) {
  for (const auto& [name, value] : from) {
    if (starts_with_name(name, prefix)) to[lower(name.substr(prefix.size()))] = value;
  }
}

AccountInfo::PolicyUse policy_use(const Headers& fields, const std::string& policy) {
  const std::string prefix = "X-Account-Storage-Policy-" + policy + "-";
  return {number_in(fields, prefix + "Container-Count"), number_in(fields, prefix + "Object-Count"),
          number_in(fields, prefix + "Bytes-Used")};
}

AccountInfo account_info_of(const Response& response, std::span<const StoragePolicy> policies) {
  AccountInfo out;
  out.status = response.status;
  out.container_count = number_in(response.headers, "X-Account-Container-Count");
  out.total_object_count = number_in(response.headers, "X-Account-Object-Count");
  out.bytes = number_in(response.headers, "X-Account-Bytes-Used");
  for (const StoragePolicy& policy : policies)
    out.storage_policies[policy.index] = policy_use(response.headers, policy.name);
  take_fields(response.headers, "X-Account-Meta-", out.meta);
  take_fields(response.internal, "X-Account-Sysmeta-", out.sysmeta);
  out.really_exists = !is_true(response.internal.get("X-Backend-Fake-Account-Listing"));
  return out;
}

ContainerInfo container_info_of(const Response& response) {
  ContainerInfo out;
  out.status = response.status;
  out.read_acl = response.headers.get("X-Container-Read");
  out.write_acl = response.headers.get("X-Container-Write");
  out.sync_to = response.headers.get("X-Container-Sync-To");
  out.sync_key = response.headers.get("X-Container-Sync-Key");
  out.versions = response.headers.get("X-Versions-Location");
  out.object_count = number_in(response.headers, "X-Container-Object-Count");
  out.bytes = number_in(response.headers, "X-Container-Bytes-Used");
  out.storage_policy =
      static_cast<int>(number_in(response.internal, "X-Backend-Storage-Policy-Index"));
  take_fields(response.headers, "X-Container-Meta-", out.meta);
  take_fields(response.internal, "X-Container-Sysmeta-", out.sysmeta);
  out.sharding_state = response.internal.get("X-Backend-Sharding-State", "unsharded");
  out.created_at = response.internal.get("X-Backend-Timestamp");
  out.put_timestamp = response.internal.get("X-Backend-Put-Timestamp");
  out.delete_timestamp = response.internal.get("X-Backend-Delete-Timestamp");
  out.status_changed_at = response.internal.get("X-Backend-Status-Changed-At");
  return out;
}

std::optional<std::chrono::seconds> ttl_of(const Response& response, std::chrono::seconds ttl) {
  if (response.is_success()) return ttl;
  if (response.status == 404 || response.status == 410) return ttl / 10;
  return std::nullopt;
}

// The Cache is asked each time, for others write to it; only taking the same text apart again is
// saved. Each thread keeps a few, at a place that the key decides.
template <typename Info>
std::shared_ptr<const Info> parse_once(const std::string& key, std::string text,
                                       std::optional<Info> (*parse)(std::string_view)) {
  struct Entry {
    std::string key;
    std::string text;
    std::shared_ptr<const Info> info;
  };
  constexpr std::size_t kEntries = 64;
  thread_local std::vector<Entry> entries(kEntries);
  Entry& entry = entries[std::hash<std::string>()(key) % kEntries];
  if (entry.info != nullptr && entry.key == key && entry.text == text) return entry.info;
  auto info = parse(text);
  if (!info) return nullptr;
  entry = {key, std::move(text), std::make_shared<const Info>(std::move(*info))};
  return entry.info;
}

template <typename Info>
using KnownFacts = std::map<std::string, std::shared_ptr<const Info>, std::less<>>;

template <typename Info>
std::shared_ptr<const Info> take_text(KnownFacts<Info>& own, const std::string& key,
                                      std::optional<std::string> text,
                                      std::optional<Info> (*parse)(std::string_view)) {
  if (!text) return nullptr;
  auto info = parse_once<Info>(key, std::move(*text), parse);
  if (info != nullptr) own.emplace(key, info);
  return info;
}

std::optional<std::string> read_cache(Request& request, const std::string& key) {
  if (request.context.cache == nullptr) return std::nullopt;
  return request.context.foreseen.get(*request.context.cache, key);
}

void write_cache(Request& request, const std::string& key, std::string_view json,
                 std::chrono::seconds ttl) {
  request.context.foreseen.drop(key);
  if (request.context.cache != nullptr && ttl.count() > 0)
    request.context.cache->set(key, json, ttl);
}

void clear_cache(Request& request, const std::string& key) {
  request.context.foreseen.drop(key);
  if (request.context.cache != nullptr) request.context.cache->remove(key);
}

Response ask(const Request& request, const App& next, std::string path, std::string_view source) {
  Request head = make_subrequest(request, "HEAD", std::move(path), source, true);
  head.headers.set("User-Agent", "Swift");
  head.context.allow_reserved_names = true;
  head.internal.set("X-Backend-Allow-Reserved-Names", "true");
  return next(head);
}

std::string api_path(std::string_view account, std::string_view container = {},
                     std::string_view object = {}) {
  std::string path = "/v1/";
  path.append(account);
  if (!container.empty()) path.append("/").append(container);
  if (!object.empty()) path.append("/").append(object);
  return path;
}

// A container with object versioning counts what its hidden twin holds.
std::shared_ptr<const ContainerInfo> with_versions(Request& request, const App& next,
                                                   std::string_view account,
                                                   std::shared_ptr<const ContainerInfo> info,
                                                   std::string_view source,
                                                   std::string_view prefix) {
  const std::string hidden = unquote(field_of(info->sysmeta, "versions-container"));
  if (hidden.empty()) return info;
  const std::string name = hidden.substr(0, hidden.find('/'));
  const auto versions = get_container_info(request, next, account, name, source, prefix);
  auto sum = std::make_shared<ContainerInfo>(*info);
  sum->bytes += versions->bytes;
  return sum;
}

}  // namespace

std::string_view field_of(const InfoFields& fields, std::string_view name) {
  const auto at = fields.find(name);
  return at == fields.end() ? std::string_view() : std::string_view(at->second);
}

void foresee_infos(const Request& request, ForeseenKeys& keys) {
  const auto path = split_api_path(request.path, 2);
  if (!path) return;
  keys.add(account_key(path->account));
  if (!path->container.empty()) keys.add(container_key(path->account, path->container));
}

std::shared_ptr<const AccountInfo> cached_account_info(Request& request, std::string_view account) {
  InfoCache& own = own_cache(request);
  const std::string key = account_key(account);
  if (const auto at = own.accounts.find(key); at != own.accounts.end()) return at->second;
  return take_text(own.accounts, key, read_cache(request, key), parse_account_info);
}

std::shared_ptr<const ContainerInfo> cached_container_info(Request& request,
                                                           std::string_view account,
                                                           std::string_view container) {
  auto& own = own_cache(request).containers;
  const std::string key = container_key(account, container);
  if (const auto at = own.find(key); at != own.end()) return at->second;
  return take_text(own, key, read_cache(request, key), parse_container_info);
}

std::shared_ptr<const AccountInfo> get_account_info(Request& request, const App& next,
                                                    std::string_view account,
                                                    std::string_view source) {
  if (auto known = cached_account_info(request, account)) return known;
  const Response answer = ask(request, next, api_path(account), source);
  const auto& own = request.context.info_cache->accounts;
  if (const auto at = own.find(account_key(account)); at != own.end()) return at->second;
  remember_account(request, account, answer, kUsualTtl);
  if (const auto at = own.find(account_key(account)); at != own.end()) return at->second;
  auto unknown = std::make_shared<AccountInfo>();
  unknown->status = 503;
  return unknown;
}

std::shared_ptr<const ContainerInfo> get_container_info(Request& request, const App& next,
                                                        std::string_view account,
                                                        std::string_view container,
                                                        std::string_view source,
                                                        std::string_view auto_create_prefix) {
  auto info = cached_container_info(request, account, container);
  if (info == nullptr) {
    if (auto_create_prefix.empty() || !account.starts_with(auto_create_prefix)) {
      const auto owner = get_account_info(request, next, account, source);
      if (!owner->is_success()) return std::make_shared<const ContainerInfo>();
    }
    const Response answer = ask(request, next, api_path(account, container), source);
    const std::string key = container_key(account, container);
    const auto& own = request.context.info_cache->containers;
    if (!own.contains(key)) remember_container(request, account, container, answer, kUsualTtl);
    const auto at = own.find(key);
    if (at == own.end()) {
      auto unknown = std::make_shared<ContainerInfo>();
      unknown->status = 503;
      return unknown;
    }
    info = at->second;
  }
  return with_versions(request, next, account, std::move(info), source, auto_create_prefix);
}

std::shared_ptr<const ObjectInfo> get_object_info(Request& request, const App& next,
                                                  std::string_view account,
                                                  std::string_view container,
                                                  std::string_view object,
                                                  std::string_view source) {
  const std::string key = api_path(account, container, object);
  auto& own = own_cache(request).objects;
  if (const auto at = own.find(key); at != own.end()) return at->second;
  const Response answer = ask(request, next, key, source);
  auto info = std::make_shared<ObjectInfo>();
  info->status = answer.status;
  info->length = answer.content_length.value_or(0);
  info->type = answer.headers.get("Content-Type");
  info->etag = answer.headers.get("Etag");
  std::erase(info->etag, '"');
  take_fields(answer.headers, "X-Object-Meta-", info->meta);
  take_fields(answer.internal, "X-Object-Sysmeta-", info->sysmeta);
  take_fields(answer.internal, "X-Object-Transient-Sysmeta-", info->transient_sysmeta);
  own.emplace(key, info);
  return info;
}

void remember_account(Request& request, std::string_view account, const Response& response,
                      std::chrono::seconds ttl, std::span<const StoragePolicy> policies) {
  const auto keep = ttl_of(response, ttl);
  if (!keep) return;
  const std::string key = account_key(account);
  auto info = std::make_shared<const AccountInfo>(account_info_of(response, policies));
  write_cache(request, key, to_json(*info), *keep);
  own_cache(request).accounts[key] = std::move(info);
}

void remember_container(Request& request, std::string_view account, std::string_view container,
                        const Response& response, std::chrono::seconds ttl) {
  const auto keep = ttl_of(response, ttl);
  if (!keep) return;
  const std::string key = container_key(account, container);
  auto info = std::make_shared<const ContainerInfo>(container_info_of(response));
  write_cache(request, key, to_json(*info), *keep);
  own_cache(request).containers[key] = std::move(info);
}

void forget_account(Request& request, std::string_view account) {
  const std::string key = account_key(account);
  own_cache(request).accounts.erase(key);
  clear_cache(request, key);
}

void forget_container(Request& request, std::string_view account, std::string_view container) {
  const std::string key = container_key(account, container);
  own_cache(request).containers.erase(key);
  clear_cache(request, key);
  clear_cache(request, "shard-listing/" + key.substr(10));
}

}  // namespace apus
