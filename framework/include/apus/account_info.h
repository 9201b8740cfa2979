// What filters and the proxy know of accounts, containers and objects: looked up once a request,
// shared through the cache with Swift's own keys and values.
#pragma once

#include <apus/abi.h>
#include <apus/app.h>
#include <apus/message.h>
#include <apus/swift_conf.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace apus {

/// Lower-case names without their prefix ("temp-url-key"), values as stored.
using InfoFields = std::map<std::string, std::string, std::less<>>;
/// The value, or empty when absent.
APUS_API std::string_view field_of(const InfoFields& fields, std::string_view name);

/// `status` is the back end's: 2xx, 404 or 410; 503 when it could not be found out.
struct AccountInfo {
  struct PolicyUse {
    std::int64_t container_count = 0;
    std::int64_t object_count = 0;
    std::int64_t bytes = 0;
  };
  int status = 0;
  std::int64_t container_count = 0;
  std::int64_t total_object_count = 0;
  std::int64_t bytes = 0;
  std::map<int, PolicyUse> storage_policies;
  InfoFields meta;
  InfoFields sysmeta;
  /// False for an account that is shown as empty because it would be made on first use.
  bool really_exists = true;

  [[nodiscard]] bool is_success() const { return status / 100 == 2; }
};

/// As above; status 0 when the container's account is not there. Absent texts are empty.
struct ContainerInfo {
  int status = 0;
  std::string read_acl;
  std::string write_acl;
  std::string sync_to;
  std::string sync_key;
  std::string versions;
  std::int64_t object_count = 0;
  std::int64_t bytes = 0;  ///< with those of the hidden versions container
  int storage_policy = 0;
  InfoFields meta;
  InfoFields sysmeta;
  std::string sharding_state = "unsharded";
  std::string created_at;  ///< internal form, as the three below
  std::string put_timestamp;
  std::string delete_timestamp;
  std::string status_changed_at;

  [[nodiscard]] bool is_success() const { return status / 100 == 2; }
};

struct ObjectInfo {
  int status = 0;
  std::uint64_t length = 0;
  std::string type;
  std::string etag;
  InfoFields meta;
  InfoFields sysmeta;
  InfoFields transient_sysmeta;

  [[nodiscard]] bool is_success() const { return status / 100 == 2; }
};

/// swift.infocache: what this request and its sub-requests found out. One thread at a time.
struct InfoCache {
  std::map<std::string, std::shared_ptr<const AccountInfo>, std::less<>> accounts;
  std::map<std::string, std::shared_ptr<const ContainerInfo>, std::less<>> containers;
  std::map<std::string, std::shared_ptr<const ObjectInfo>, std::less<>> objects;
};

/// The facts, from the request's own InfoCache, else from its Cache, else by a HEAD sent to `next`
/// with all rights (User-Agent Swift). Never null. Makes the request's InfoCache when it has none.
/// Says nothing about what the request's user may do.
APUS_API std::shared_ptr<const AccountInfo> get_account_info(
    Request& request, const App& next, std::string_view account,
    std::string_view source = "GET_ACCOUNT_INFO");
/// Looks at the account first (status 0 when it is not there), but for accounts that start with
/// `auto_create_prefix`.
APUS_API std::shared_ptr<const ContainerInfo> get_container_info(
    Request& request, const App& next, std::string_view account, std::string_view container,
    std::string_view source = "GET_CONTAINER_INFO", std::string_view auto_create_prefix = ".");
/// Kept for this request alone, never in the Cache.
APUS_API std::shared_ptr<const ObjectInfo> get_object_info(
    Request& request, const App& next, std::string_view account, std::string_view container,
    std::string_view object, std::string_view source = "GET_OBJECT_INFO");

/// The infos of the account and the container that the request's path names.
APUS_API void foresee_infos(const Request& request, ForeseenKeys& keys);

/// Without asking anybody: null when neither cache knows.
APUS_API std::shared_ptr<const AccountInfo> cached_account_info(Request& request,
                                                                std::string_view account);
APUS_API std::shared_ptr<const ContainerInfo> cached_container_info(Request& request,
                                                                    std::string_view account,
                                                                    std::string_view container);

/// Keeps what an answer to GET or HEAD tells, for 2xx `ttl` seconds, for 404 and 410 a tenth of
/// that; other statuses are not kept. 0 keeps it for this request only.
/// `policies` are those whose use the account's headers tell by name.
APUS_API void remember_account(Request& request, std::string_view account, const Response& response,
                               std::chrono::seconds ttl,
                               std::span<const StoragePolicy> policies = {});
APUS_API void remember_container(Request& request, std::string_view account,
                                 std::string_view container, const Response& response,
                                 std::chrono::seconds ttl);
APUS_API void forget_account(Request& request, std::string_view account);
APUS_API void forget_container(Request& request, std::string_view account,
                               std::string_view container);

/// Swift's JSON values, as its proxies write them and as they read them.
APUS_API std::string to_json(const AccountInfo& info);
APUS_API std::string to_json(const ContainerInfo& info);
APUS_API std::optional<AccountInfo> parse_account_info(std::string_view json);
APUS_API std::optional<ContainerInfo> parse_container_info(std::string_view json);

}  // namespace apus
