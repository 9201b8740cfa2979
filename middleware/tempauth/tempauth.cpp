// tempauth: users and keys from the conf, tokens in the cache, groups, container and account ACLs.
#include <apus/account_info.h>
#include <apus/acl.h>
#include <apus/digest.h>
#include <apus/json.h>
#include <apus/plugin.h>

#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>

#include "middleware/tempauth/tokens.h"
#include "middleware/tempauth/users.h"

namespace apus {
namespace {

using enum OptionType;
using tempauth::Tokens;
using tempauth::User;
using tempauth::Users;

constexpr std::array kOptions = {
    OptionSpec{"reseller_prefix", kText, "AUTH", "accounts are PREFIX_NAME; several with commas"},
    OptionSpec{"require_group", kText, "", "group that a user's service must bring as well"},
    OptionSpec{"*require_group", kText, nullptr, "PREFIX_require_group: for that prefix alone"},
    OptionSpec{"auth_prefix", kText, "/auth/", "where tokens are asked for"},
    OptionSpec{"token_life", kInt, "86400", "seconds a token is good", 1, 1e9},
    OptionSpec{"allow_overrides", kBool, "true", "let other filters decide first"},
    OptionSpec{"storage_url_scheme", kText, "default",
               "http, https, or default: as the request came"},
    OptionSpec{"allow_sample_keys", kBool, "false",
               "start even with the keys of Swift's sample conf, which everybody knows"},
    OptionSpec{"user_*", kText, nullptr, "user_ACCOUNT_USER = KEY [GROUP...] [URL]", -9e18, 9e18,
               true},
    OptionSpec{"user64_*", kText, nullptr, "as user_, both names in base64", -9e18, 9e18, true},
};

constexpr const char* kAclField = "X-Account-Access-Control";

bool has(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::string read_auth_prefix(std::string prefix) {
  if (prefix.find_first_not_of('/') == std::string::npos) return "/auth/";
  if (!prefix.starts_with('/')) prefix.insert(0, 1, '/');
  if (!prefix.ends_with('/')) prefix += '/';
  return prefix;
}

// "http://host", the usual port left out.
std::string host_url(const Request& request) {
  std::string host(request.headers.get("Host", request.context.local_address));
  const std::string& scheme = request.context.scheme;
  const std::string_view usual = scheme == "https" ? ":443" : ":80";
  if (host.ends_with(usual)) host.resize(host.size() - usual.size());
  return scheme + "://" + host;
}

class TempauthFilter final : public Filter {
 public:
  TempauthFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        host_(args.host),
        log_(args.host.logger(args.options)),
        resellers_(args.options),
        prefix_(resellers_.prefixes().front()),
        auth_prefix_(read_auth_prefix(args.options.text("auth_prefix"))),
        users_(args.options, resellers_.prefixes()),
        tokens_(args.host, prefix_, std::chrono::seconds(args.options.integer("token_life"))),
        overrides_(args.options.flag("allow_overrides")),
        scheme_(args.options.text("storage_url_scheme")),
        metric_("tempauth." + (prefix_.empty() ? "NONE" : prefix_) + ".") {
    for (const std::string& prefix : resellers_.prefixes())
      required_[prefix] = resellers_.option(prefix, "require_group");
    Json section;
    section.set("account_acls", true);
    host_.info().set("tempauth", section.dump());
  }

  void foresee(const Request& request, ForeseenKeys& keys) const override {
    if (const std::string_view token = own_token(request); !token.empty())
      tokens_.foresee(token, keys);
    next().foresee(request, keys);
  }

  Response operator()(Request& request) const override {
    if (overrides_ && request.context.authorize_override) return next()(request);
    if (request.path.starts_with(auth_prefix_)) return answer_auth(request);
    if (const std::string token(own_token(request)); !token.empty()) {
      if (auto refusal = identify(request, token)) return std::move(*refusal);
    } else {
      install_for_anonymous(request);
    }
    return next()(request);
  }

 private:
  enum class Asked { kV1, kAuth };

  static Cache& cache_of(const Request& request) {
    if (request.context.cache == nullptr)
      throw std::runtime_error("tempauth needs the cache filter in front of it");
    return *request.context.cache;
  }

  // The request's token when it is one of this filter's, else empty.
  std::string_view own_token(const Request& request) const {
    const std::string_view token =
        request.headers.get("X-Auth-Token", request.headers.get("X-Storage-Token"));
    return token.starts_with(prefix_) ? token : std::string_view();
  }

  // The auth service.

  struct Asking {
    std::string account;
    std::string user;
    std::string key;
  };

  static std::string first_of(const Request& request, const char* one, const char* other) {
    const std::string_view value = request.headers.get(one);
    return std::string(value.empty() ? request.headers.get(other) : value);
  }

  // Names and key of GET v1/ACCOUNT/auth, or of GET auth and GET v1.0.
  static Asking read_asking(const Request& request, Asked form, std::string_view account) {
    Asking out;
    const bool v1 = form == Asked::kV1;
    out.key = v1 ? first_of(request, "X-Storage-Pass", "X-Auth-Key")
                 : first_of(request, "X-Auth-Key", "X-Storage-Pass");
    if (v1) {
      out.account = account;
      out.user = request.headers.get("X-Storage-User");
      if (!out.user.empty()) return out;
    }
    const std::string name = v1 ? std::string(request.headers.get("X-Auth-User"))
                                : first_of(request, "X-Auth-User", "X-Storage-User");
    const std::size_t colon = name.find(':');
    if (colon == std::string::npos || (v1 && name.substr(0, colon) != account)) return out;
    out.account = name.substr(0, colon);
    out.user = name.substr(colon + 1);
    return out;
  }

  Response answer_auth(Request& request) const {
    if (request.method != "GET") return error_response(405, request.method == "HEAD");
    const auto path =
        split_api_path(std::string_view(request.path).substr(auth_prefix_.size() - 1), 1);
    if (!path) {
      count("errors");
      return error_response(404);
    }
    std::string rest(path->container);
    if (!path->object.empty()) rest.append("/").append(path->object);
    if (path->version == "v1" && rest == "auth")
      return issue(request, read_asking(request, Asked::kV1, path->account));
    if (path->version == "v1.0" || path->version == "auth")
      return issue(request, read_asking(request, Asked::kAuth, {}));
    if (path->version != "v1") count("errors");
    return error_response(400);
  }

  Response denied_token(std::string_view account) const {
    count("token_denied");
    Response out = error_response(401);
    out.headers.set("Www-Authenticate",
                    "Swift realm=\"" + (account.empty() ? "unknown" : quote(account)) + "\"");
    return out;
  }

  Response issue(const Request& request, const Asking& asked) const {
    if (asked.account.empty() || asked.user.empty() || asked.key.empty())
      return denied_token(asked.account);
    const std::string name = asked.account + ":" + asked.user;
    const User* user = users_.find(name);
    // A user that is not there costs and says the same as a wrong key.
    const std::string_view key = user != nullptr ? std::string_view(user->key) : "";
    if (!constant_time_equal(key, asked.key) || user == nullptr) return denied_token("");
    const auto issued = tokens_.issue(cache_of(request), name, users_.groups(name, *user));
    if (!issued) return error_response(503);
    return token_answer(request, issued->token, issued->end - host_.clock().now(), user->url);
  }

  Response token_answer(const Request& request, const std::string& token, double life,
                        std::string url) const {
    Response out(200);
    out.headers.set("Content-Type", "text/html; charset=UTF-8");
    out.headers.set("X-Auth-Token", token);
    out.headers.set("X-Storage-Token", token);
    out.headers.set("X-Auth-Token-Expires", std::to_string(static_cast<std::int64_t>(life)));
    if (const std::size_t at = url.find("$HOST"); at != std::string::npos)
      url.replace(at, 5, host_url(request));
    if (const std::size_t colon = url.find(':'); scheme_ != "default" && colon != std::string::npos)
      url = scheme_ + url.substr(colon);
    out.headers.set("X-Storage-Url", url);
    return out;
  }

  // Requests.

  // Sets the user of a token of ours; a refusal when it is none.
  std::optional<Response> identify(Request& request, const std::string& token) const {
    Cache& cache = cache_of(request);
    const auto grant = tokens_.find(cache, request.context.foreseen, token);
    if (!grant) {
      if (!prefix_.empty()) {
        count("unauthorized");
        return unauthorized_response(request);
      }
      install_denial(request);
      return std::nullopt;
    }
    request.context.remote_user = grant->groups;
    if (const std::string* service = request.headers.find("X-Service-Token")) {
      if (const auto more = tokens_.find(cache, request.context.foreseen, *service))
        request.context.remote_user += "," + more->groups;
    }
    const auto groups = split_list(request.context.remote_user);
    if (log_.enabled(LogLevel::kDebug))
      log_.debug("User: " + groups[groups.size() > 1 ? 1 : 0] + " uses a token",
                 request.context.trans_id);
    if (has(groups, ".reseller_admin")) request.context.reseller_request = true;
    install(request);
    return std::nullopt;
  }

  // Decides for its own accounts; for others only where no other filter does.
  void install_for_anonymous(Request& request) const {
    const auto path = split_api_path(request.path, 2);
    const std::string* prefix = path ? resellers_.prefix_of(path->account) : nullptr;
    if (prefix != nullptr && !prefix->empty()) {
      install(request);
    } else if (prefix_.empty()) {
      if (!request.context.authorize) install(request);
    } else {
      install_denial(request);
    }
  }

  void install(Request& request) const {
    request.context.authorize = [this](Request& asked) { return authorize(asked); };
  }
  void install_denial(Request& request) const {
    if (request.context.authorize) return;
    request.context.authorize = [this](Request& asked) { return std::optional(denied(asked)); };
  }

  std::optional<Response> authorize(Request& request) const {
    const auto path = split_api_path(request.path, 1);
    if (!path) {
      count("errors");
      return error_response(404, request.method == "HEAD");
    }
    const std::string* prefix =
        path->account.empty() ? nullptr : resellers_.prefix_of(path->account);
    if (prefix == nullptr) return denied(request);
    if (auto refusal = take_account_acl(request)) return refusal;
    const std::vector<std::string> groups = split_list(request.context.remote_user);
    const bool allowed = is_reseller(request, *path, *prefix, groups) ||
                         is_owner(request, *path, *prefix, groups) || is_sync(request) ||
                         request.method == "OPTIONS" || fits_acl(request, *path, groups) ||
                         fits_account_acl(request, *path, groups);
    if (!allowed) return denied(request);
    return clean_container_acls(request);
  }

  // The ACL a client sends for an account travels on as an internal fact.
  static std::optional<Response> take_account_acl(Request& request) {
    const std::string* text = request.headers.find(kAclField);
    if (text == nullptr) return std::nullopt;
    const std::string fault = account_acl_fault(*text);
    if (!fault.empty()) {
      if (request.method == "HEAD") return error_response(400, true);
      return Response(400,
                      "X-Account-Access-Control invalid: " + fault + "\n\nInput: " + *text + "\n",
                      "text/plain; charset=UTF-8");
    }
    request.internal.set("X-Account-Sysmeta-Core-Access-Control", *text);
    request.headers.erase(kAclField);
    return std::nullopt;
  }

  bool is_reseller(Request& request, const ApiPath& path, const std::string& prefix,
                   const std::vector<std::string>& groups) const {
    // Accounts that start with a dot are the cluster's own.
    if (resellers_.is_prefix(path.account) || path.account.substr(prefix.size()).starts_with('.'))
      return false;
    if (has(groups, ".reseller_admin")) {
      request.context.swift_owner = true;
      return true;
    }
    const bool reads = request.method == "GET" || request.method == "HEAD";
    return reads && has(groups, ".reseller_reader");
  }

  // The user's own account, but for its making and removal.
  bool is_owner(Request& request, const ApiPath& path, const std::string& prefix,
                const std::vector<std::string>& groups) const {
    const bool manages =
        path.container.empty() && (request.method == "PUT" || request.method == "DELETE");
    if (manages || !has(groups, path.account)) return false;
    const std::string& required = required_.at(prefix);
    if (!required.empty() && !has(groups, required)) return false;
    request.context.swift_owner = true;
    return true;
  }

  static bool is_sync(const Request& request) {
    const std::string& key = request.context.sync_key;
    return !key.empty() && constant_time_equal(key, request.headers.get("X-Container-Sync-Key")) &&
           (request.headers.has("X-Timestamp") || request.internal.has("X-Timestamp"));
  }

  static bool fits_acl(const Request& request, const ApiPath& path,
                       const std::vector<std::string>& groups) {
    const Acl acl = parse_acl(request.context.acl);
    if ((!path.object.empty() || acl.listings) &&
        referrer_allowed(request.headers.get("Referer"), acl.referrers)) {
      return true;
    }
    return intersect(acl.groups, groups);
  }

  bool fits_account_acl(Request& request, const ApiPath& path,
                        const std::vector<std::string>& groups) const {
    if (groups.empty()) return false;  // nobody is no member of any list
    const auto info = get_account_info(request, next(), path.account, "TA");
    const auto acl = parse_account_acl(field_of(info->sysmeta, "core-access-control"));
    if (!acl) return false;
    if (intersect(acl->admin, groups)) {
      request.context.swift_owner = true;
      return true;
    }
    const bool reads = request.method == "GET" || request.method == "HEAD";
    return ((!path.container.empty() || reads) && intersect(acl->read_write, groups)) ||
           (reads && intersect(acl->read_only, groups));
  }

  // Refusals.

  Response denied(const Request& request) const {
    if (!request.context.remote_user.empty()) {
      count("forbidden");
      return error_response(403, request.method == "HEAD");
    }
    count("unauthorized");
    return unauthorized_response(request);
  }

  void count(std::string_view what) const {
    host_.metrics().increment(metric_ + std::string(what));
  }

  Host& host_;
  Logger& log_;
  Resellers resellers_;
  std::string prefix_;  // the first one: tokens start with it
  std::string auth_prefix_;
  Users users_;
  Tokens tokens_;
  bool overrides_;
  std::string scheme_;
  std::string metric_;
  std::map<std::string, std::string> required_;  // by prefix
};

}  // namespace

APUS_EXPORT_FILTER("tempauth", "1.0", TempauthFilter, kOptions)

}  // namespace apus
