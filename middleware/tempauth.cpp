// tempauth: users and keys from the conf, tokens in the cache, groups and ACLs.
#include <apus/acl.h>
#include <apus/digest.h>
#include <apus/json.h>
#include <apus/plugin.h>

#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>

namespace apus {
namespace {

using enum OptionType;

constexpr std::array kOptions = {
    OptionSpec{"reseller_prefix", kText, "AUTH", "accounts are PREFIX_NAME"},
    OptionSpec{"auth_prefix", kText, "/auth/", "where tokens are asked for"},
    OptionSpec{"token_life", kInt, "86400", "seconds a token is good", 1, 1e9},
    OptionSpec{"allow_overrides", kBool, "true", "let other filters decide first"},
    OptionSpec{"storage_url_scheme", kText, "default",
               "http, https, or default: as the request came"},
    OptionSpec{"user_*", kText, nullptr, "user_ACCOUNT_USER = KEY [GROUP...] [URL]", -9e18, 9e18,
               true},
    OptionSpec{"user64_*", kText, nullptr, "as user_, both names in base64", -9e18, 9e18, true},
};

struct User {
  std::string key;
  std::vector<std::string> groups;
  std::string url;
};

class TempauthFilter final : public Filter {
 public:
  TempauthFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        host_(args.host),
        prefix_(args.options.text("reseller_prefix")),
        auth_prefix_(args.options.text("auth_prefix")),
        life_(args.options.integer("token_life")),
        scheme_(args.options.text("storage_url_scheme")) {
    if (!prefix_.empty() && !prefix_.ends_with('_')) prefix_ += '_';
    if (!auth_prefix_.starts_with('/')) auth_prefix_ = "/" + auth_prefix_;
    if (!auth_prefix_.ends_with('/')) auth_prefix_ += '/';
    for (const auto& [name, value] : args.options.family("user_"))
      add_user(name.substr(5), value.text, false);
    for (const auto& [name, value] : args.options.family("user64_"))
      add_user(name.substr(7), value.text, true);
    Json section;
    section.set("account_acls", true);
    host_.info().set("tempauth", section.dump());
  }

  Response operator()(Request& request) const override {
    if (request.path.starts_with(auth_prefix_)) return issue(request);
    if (request.context.authorize_override) return next()(request);
    const std::string token(
        request.headers.get("X-Auth-Token", request.headers.get("X-Storage-Token")));
    if (!token.empty() && token.starts_with(prefix_ + "tk")) {
      const auto groups = groups_of(request, token);
      if (!groups) return unauthorized(request);
      request.context.remote_user = *groups;
    }
    request.context.authorize = [this](Request& asked) { return authorize(asked); };
    return next()(request);
  }

 private:
  void add_user(const std::string& names, const std::string& value, bool encoded) {
    const std::size_t bar = names.find('_');
    if (bar == std::string::npos) throw std::runtime_error("a user option is user_ACCOUNT_USER");
    std::string account = names.substr(0, bar);
    std::string user = names.substr(bar + 1);
    if (encoded) {
      for (std::string* name : {&account, &user}) {
        name->append((4 - name->size() % 4) % 4, '=');
        const auto raw = base64_decode(*name);
        if (!raw) throw std::runtime_error("user64_ACCOUNT_USER: the names are base64 without '='");
        *name = *raw;
      }
    }
    std::vector<std::string> words = split_list(value, ' ');
    if (words.empty()) throw std::runtime_error("user " + account + ":" + user + " has no key");
    User entry;
    entry.key = words.front();
    for (std::size_t i = 1; i < words.size(); ++i) {
      if (words[i].find("://") != std::string::npos) {
        entry.url = words[i];
      } else {
        entry.groups.push_back(words[i]);
      }
    }
    users_[account + ":" + user] = std::move(entry);
  }

  std::string groups_text(const std::string& account, const std::string& name,
                          const User& user) const {
    std::string out = account + "," + name;
    for (const std::string& group : user.groups)
      out += "," + (group == ".admin" ? prefix_ + account : group);
    return out;
  }

  // GET AUTH_PREFIX v1.0, v1 or v1/ACCOUNT/auth.
  Response issue(Request& request) const {
    if (request.method != "GET")
      return error_response(request.method == "HEAD" ? 400 : 405, request.method == "HEAD");
    const std::string_view rest = std::string_view(request.path).substr(auth_prefix_.size());
    std::string name(request.headers.get("X-Auth-User", request.headers.get("X-Storage-User")));
    const std::string key(request.headers.get("X-Auth-Key", request.headers.get("X-Storage-Pass")));
    if (rest.starts_with("v1/") && rest.ends_with("/auth")) {
      const std::string account(rest.substr(3, rest.size() - 8));
      if (name.find(':') == std::string::npos) name.insert(0, account + ":");
      if (!name.starts_with(account + ":")) return unauthorized(request);
    } else if (rest != "v1.0" && rest != "v1.0/" && rest != "v1" && rest != "auth") {
      return Response(400, "Bad Request");
    }
    const auto found = users_.find(name);
    const bool good =
        constant_time_equal(found != users_.end() ? found->second.key : "no such user's key", key);
    if (found == users_.end() || !good) return unauthorized(request);
    Cache* cache = request.context.cache;
    if (cache == nullptr)
      throw std::runtime_error("tempauth needs the cache filter in front of it");
    const std::string account = name.substr(0, name.find(':'));
    const std::string groups = groups_text(account, name, found->second);
    const double now = host_.clock().now();
    std::string token;
    double end = now + static_cast<double>(life_);
    if (const auto old = cache->get(prefix_ + "/user/" + name)) {
      const auto json = Json::parse("[" + *old + "]");
      const std::string* text =
          json && json->array()->size() == 1 ? json->array()->front().text() : nullptr;
      if (text != nullptr) {
        double old_end = 0;
        const auto known = lookup(*cache, *text, old_end);
        if (known && *known == groups) {
          token = *text;
          end = old_end;
        }
      }
    }
    if (token.empty()) {
      token = prefix_ + "tk" + host_.entropy().hex(16);
      const Json::Array value{Json(end), Json(groups)};
      cache->set(prefix_ + "/token/" + token, Json(value).dump(), std::chrono::seconds(life_));
      std::string quoted;
      append_json_string(quoted, token);
      cache->set(prefix_ + "/user/" + name, quoted, std::chrono::seconds(life_));
    }
    Response out(200);
    out.headers.set("Content-Type", "text/html; charset=UTF-8");
    out.headers.set("X-Auth-Token", token);
    out.headers.set("X-Storage-Token", token);
    out.headers.set("X-Auth-Token-Expires", std::to_string(static_cast<std::int64_t>(end - now)));
    std::string url = found->second.url;
    if (url.empty()) {
      const std::string scheme = scheme_ == "default" ? request.context.scheme : scheme_;
      url = scheme + "://" +
            std::string(request.headers.get("Host", request.context.local_address)) + "/v1/" +
            prefix_ + account;
    }
    out.headers.set("X-Storage-Url", url);
    return out;
  }

  std::optional<std::string> lookup(Cache& cache, const std::string& token, double& end) const {
    const auto value = cache.get(prefix_ + "/token/" + token);
    const auto json = value ? Json::parse(*value) : std::nullopt;
    if (!json || json->array() == nullptr || json->array()->size() != 2) return std::nullopt;
    const auto moment = (*json->array())[0].number();
    const std::string* groups = (*json->array())[1].text();
    if (!moment || groups == nullptr || *moment < host_.clock().now()) return std::nullopt;
    end = *moment;
    return *groups;
  }

  std::optional<std::string> groups_of(const Request& request, const std::string& token) const {
    if (request.context.cache == nullptr) return std::nullopt;
    double end = 0;
    return lookup(*request.context.cache, token, end);
  }

  // Nothing lets the request pass.
  std::optional<Response> authorize(Request& request) const {
    const auto path = split_api_path(request.path, 2);
    if (!path) return error_response(404, request.method == "HEAD");
    if (!path->account.starts_with(prefix_)) return denied(request);
    const std::vector<std::string> groups = split_list(request.context.remote_user);
    const auto has = [&](std::string_view group) {
      return std::find(groups.begin(), groups.end(), group) != groups.end();
    };
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (has(".reseller_admin") && path->account != prefix_) {
      request.context.swift_owner = true;
      request.context.reseller_request = true;
      return check_acl_headers(request);
    }
    if (has(".reseller_reader") && reads) return std::nullopt;
    const bool manages =
        path->container.empty() && (request.method == "PUT" || request.method == "DELETE");
    if (has(path->account) && !manages) {
      request.context.swift_owner = true;
      return check_acl_headers(request);
    }
    if (request.method == "OPTIONS") return std::nullopt;
    const Acl acl = parse_acl(request.context.acl);
    if (referrer_allowed(request.headers.get("Referer"), acl.referrers) &&
        (!path->object.empty() || acl.listings)) {
      return std::nullopt;
    }
    if (std::any_of(acl.groups.begin(), acl.groups.end(), has)) return std::nullopt;
    return denied(request);
  }

  // ACLs are stored in their clean form.
  static std::optional<Response> check_acl_headers(Request& request) {
    for (const auto& [name, write] :
         {std::pair<const char*, bool>{"X-Container-Read", false}, {"X-Container-Write", true}}) {
      const std::string* text = request.headers.find(name);
      if (text == nullptr || (request.method != "PUT" && request.method != "POST")) continue;
      std::string why;
      const auto clean = clean_acl(*text, write, why);
      if (!clean) return Response(400, why, "text/html; charset=UTF-8");
      request.headers.set(name, *clean);
    }
    return std::nullopt;
  }

  std::optional<Response> denied(const Request& request) const {
    if (!request.context.remote_user.empty()) return error_response(403, request.method == "HEAD");
    return unauthorized(request);
  }

  Response unauthorized(const Request& request) const {
    Response out = error_response(401, request.method == "HEAD");
    const auto path = split_api_path(request.path, 2);
    const std::string realm =
        path && !request.path.starts_with(auth_prefix_) ? quote(path->account) : "unknown";
    out.headers.set("Www-Authenticate", "Swift realm=\"" + realm + "\"");
    return out;
  }

  Host& host_;
  std::string prefix_;
  std::string auth_prefix_;
  std::int64_t life_;
  std::string scheme_;
  std::map<std::string, User> users_;
};

}  // namespace

APUS_EXPORT_FILTER("tempauth", "1.0", TempauthFilter, kOptions)

}  // namespace apus
