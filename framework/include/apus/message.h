// One request and its answer, as they pass through a pipeline.
#pragma once

#include <apus/abi.h>
#include <apus/cache.h>
#include <apus/headers.h>
#include <apus/source.h>
#include <apus/text.h>
#include <apus/timestamp.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace apus {

struct Request;
struct Response;
struct InfoCache;
struct Identity;
struct CryptoKeys;
class Json;

/// Asked by the proxy when it knows the ACL (`Context::acl`): nothing lets the request pass, a
/// response is the refusal.
using AuthorizeHook = std::function<std::optional<Response>(Request&)>;

/// What filters and servers tell each other about one request. Never filled from client headers but
/// by the host (the addresses) and by the filter whose job it is. Copied into sub-requests.
struct APUS_API Context {
  std::string trans_id;        ///< "tx...-..."; empty until catch_errors or the host made one
  std::string remote_address;  ///< peer's IP, no port; empty in process
  std::string scheme = "http";
  std::string local_address;  ///< "ip:port" the request came in on

  std::string remote_user;          ///< comma list of groups; empty = anonymous
  AuthorizeHook authorize;          ///< empty = no auth filter: all is allowed
  bool authorize_override = false;  ///< swift.authorize_override
  bool swift_owner = false;         ///< may see and set owner headers
  bool reseller_request = false;
  std::string acl;       ///< the ACL the authorize hook shall judge by
  std::string sync_key;  ///< swift_sync_key: the container's, with which its twin may write
  std::shared_ptr<const Identity> identity;  ///< what an identity service said of the user

  std::string source;           ///< swift.source, e.g. "TU"; empty = the client's own request
  std::string original_method;  ///< swift.orig_req_method: what the client sent, when changed since
  std::vector<std::string> log_info;  ///< joined by ',' in the access log
  bool access_log_made = false;       ///< swift.proxy_access_log_made
  bool ratelimit_handled = false;     ///< swift.ratelimit.handled
  bool leave_relative_location = false;
  bool content_type_overridden = false;
  bool allow_reserved_names = false;  ///< X-Backend-Allow-Reserved-Names
  /// swift.symlink_override, swift.slo_override: a filter vouches for the link's or manifest's
  /// target, which is not looked up.
  bool symlink_override = false;
  bool slo_override = false;
  bool format_listing = true;       ///< swift.format_listing; false = the listing stays JSON
  std::optional<int> policy_index;  ///< policy the object request ran under, for logs

  Cache* cache = nullptr;                 ///< swift.cache; null = none. Outlives the request.
  ForeseenKeys foreseen;                  ///< for reading `cache`; what was added by App::foresee
  std::shared_ptr<InfoCache> info_cache;  ///< swift.infocache: infos fetched for this request
  std::optional<Timestamp>
      timestamp;  ///< X-Timestamp of the request, once the proxy or a back end set it

  /// Called by whoever reads the body to its end: header fields to be stored that depend on it.
  std::function<void(Headers&)> update_footers;

  /// swift.callback.fetch_crypto_keys, set by a keymaster; see <apus/crypto_keys.h>. Empty = there
  /// is none. Null as the id asks for the keys that this request's path has now.
  std::function<std::shared_ptr<const CryptoKeys>(const Json* id)> fetch_crypto_keys;
  bool crypto_override = false;  ///< swift.crypto.override: nothing is encrypted or decrypted

  Context();
  Context(const Context&);
  Context(Context&&) noexcept;
  Context& operator=(const Context&);
  Context& operator=(Context&&) noexcept;
  ~Context();
};

/// A request. Owned by the caller of an App; the App may change it and take its body.
struct APUS_API Request {
  std::string method = "GET";
  std::string path;      ///< percent-decoded bytes, starting with '/'; may hold NUL and any byte
  std::string raw_path;  ///< as it came in, still encoded, without the query; for logs
  Query query;
  std::string raw_query;  ///< as it came in, for logs and signatures
  std::string protocol = "HTTP/1.1";
  Headers headers;   ///< what the client said; no internal name is ever acted upon from here
  Headers internal;  ///< what servers and filters say: names of is_internal_name, and X-Timestamp
  std::unique_ptr<Source> body;                 ///< null = none
  std::optional<std::uint64_t> content_length;  ///< nothing = none announced
  bool chunked = false;                         ///< the length is unknown until the end of `body`
  Context context;

  Request();
  Request(std::string method, std::string path);
  Request(const Request&) = delete;
  Request(Request&&) noexcept;
  Request& operator=(const Request&) = delete;
  Request& operator=(Request&&) noexcept;
  ~Request();
};

/// A request that a filter makes on its own behalf, to be sent to the next App: same context (trans
/// id, cache, infos) but for the timestamp, no client header but User-Agent and X-Trans-Id-Extra,
/// no body, `source` as swift.source. `pre_authorized` lets it pass every authorize hook.
APUS_API Request make_subrequest(const Request& parent, std::string method, std::string path,
                                 std::string_view source, bool pre_authorized);

/// An answer. The host sends `headers` to clients, and `internal` too when the listener is a back
/// end (see Descriptor::trusted).
struct APUS_API Response {
  int status = 200;
  std::string reason;  ///< empty = Swift's phrase for the status
  Headers headers;     ///< without Content-Length, Date, Connection, Transfer-Encoding: the host's
  Headers internal;
  std::unique_ptr<Source> body;                 ///< null = empty
  std::optional<std::uint64_t> content_length;  ///< of the entity, also for HEAD; nothing = chunked
  bool close_connection = false;                ///< the client must not reuse the connection

  Response();
  /// Status with an empty body, content_length 0.
  explicit Response(int status);
  /// Status with a text body.
  Response(int status, std::string body, std::string_view content_type = "text/plain");
  Response(const Response&) = delete;
  Response(Response&&) noexcept;
  Response& operator=(const Response&) = delete;
  Response& operator=(Response&&) noexcept;
  ~Response();

  [[nodiscard]] bool is_success() const { return status >= 200 && status < 300; }
};

/// Swift's phrase: RFC texts with Swift's own for 416, 422, 497, 498, 499, 500, 507, 529.
APUS_API std::string_view reason_phrase(int status);

/// Swift's own page for a status: `<html><h1>REASON</h1><p>TEXT</p></html>`,
/// text/html; charset=UTF-8; an empty body for statuses that have none and when `head`.
APUS_API Response error_response(int status, bool head = false);

/// 401 whose WWW-Authenticate names the path's account as the realm. With `text` that is the body
/// (none for HEAD), else Swift's page.
APUS_API Response unauthorized_response(const Request& request, std::string_view text = {});

/// 405 with Allow.
APUS_API Response method_not_allowed(const Request& request, std::string_view allow);

}  // namespace apus
