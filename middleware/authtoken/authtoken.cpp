// authtoken: asks Keystone who a token belongs to, and tells the filters
// behind.
#include <apus/cache.h>
#include <apus/digest.h>
#include <apus/identity.h>
#include <apus/json.h>
#include <apus/plugin.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "middleware/authtoken/keystone.h"

namespace apus {
namespace {

using enum OptionType;
using authtoken::Keystone;
using authtoken::Verdict;

constexpr std::array kOptions = {
    OptionSpec{"auth_url", kText, "", "where Keystone is, as http://host:5000"},
    OptionSpec{"www_authenticate_uri", kText, "", "what clients are told instead"},
    OptionSpec{"auth_uri", kText, "", "as www_authenticate_uri (old name)"},
    OptionSpec{"auth_plugin", kText, "password", "password is the one there is"},
    OptionSpec{"auth_type", kText, "password", "as auth_plugin"},
    OptionSpec{"username", kText, "", "the service's own user"},
    OptionSpec{"password", kText, "", "its password", -9e18, 9e18, true},
    OptionSpec{"user_domain_id", kText, "", "its domain"},
    OptionSpec{"user_domain_name", kText, "", "its domain by name"},
    OptionSpec{"project_name", kText, "", "the project it asks in"},
    OptionSpec{"project_domain_id", kText, "", "that project's domain"},
    OptionSpec{"project_domain_name", kText, "", "that project's domain by name"},
    OptionSpec{"delay_auth_decision", kBool, "false", "let requests without a good token pass on"},
    OptionSpec{"token_cache_time", kInt, "300", "seconds an answer is kept; below 1 = not at all",
               -1, 1e9},
    OptionSpec{"service_token_roles", kText, "service", "roles of users that act for others"},
    OptionSpec{"service_token_roles_required", kBool, "false", "without them they are refused"},
    OptionSpec{"http_connect_timeout", kNumber, "10", "seconds to wait for Keystone", 0.1, 3600},
    OptionSpec{"cafile", kText, "", "certificates that Keystone's is checked against"},
    OptionSpec{"insecure", kBool, "false", "do not check it"},
    OptionSpec{"cache", kText, nullptr, "swift.cache is the one there is"},
    OptionSpec{"include_service_catalog", kBool, "false", "not read: no filter needs the catalog"},
};

// The password of the sample conf.
constexpr std::string_view kSamplePassword = "password";

class AuthtokenFilter final : public Filter {
 public:
  AuthtokenFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        log_(args.host.logger(args.options)),
        clock_(args.host.clock()),
        keystone_(args.options),
        delay_(args.options.flag("delay_auth_decision")),
        cache_time_(args.options.integer("token_cache_time")),
        service_roles_(split_list(args.options.text("service_token_roles"))),
        roles_required_(args.options.flag("service_token_roles_required")) {
    if (args.options.text("auth_url").empty())
      throw std::runtime_error("auth_url is required: where Keystone is, as http://host:5000");
    if (args.options.text("password") == kSamplePassword)
      throw std::runtime_error("password is that of Swift's sample conf: set the service's own");
    for (const char* name : {"www_authenticate_uri", "auth_uri", "auth_url"}) {
      if (shown_uri_.empty()) shown_uri_ = args.options.text(name);
    }
  }

  void foresee(const Request& request, ForeseenKeys& keys) const override {
    const std::string token = token_of(request);
    if (cache_time_ > 0 && !token.empty()) keys.add(cache_key(token));
    next().foresee(request, keys);
  }

  Response operator()(Request& request) const override {
    request.context.identity = nullptr;
    const Verdict user = judge(request, token_of(request));
    if (user.kind == Verdict::Kind::kUnknown) return unavailable(request);
    Verdict service;
    if (const std::string* token = request.headers.find("X-Service-Token")) {
      service = judge(request, *token);
      if (service.kind == Verdict::Kind::kUnknown) return unavailable(request);
      if (!is_service(service)) service.kind = Verdict::Kind::kInvalid;
    }
    const bool wrong_service =
        request.headers.has("X-Service-Token") && service.kind != Verdict::Kind::kValid;
    if (user.kind == Verdict::Kind::kValid && !wrong_service) {
      auto identity = std::make_shared<Identity>(user.identity);
      if (service.kind == Verdict::Kind::kValid) identity->service_roles = service.identity.roles;
      request.context.identity = std::move(identity);
    } else if (!delay_) {
      return refuse(request);
    }
    Response out = next()(request);
    if (out.status == 401) add_challenge(out);
    return out;
  }

 private:
  static std::string token_of(const Request& request) {
    return std::string(request.headers.get("X-Auth-Token", request.headers.get("X-Storage-Token")));
  }

  bool is_service(const Verdict& verdict) const {
    if (verdict.kind != Verdict::Kind::kValid) return false;
    const auto& roles = verdict.identity.roles;
    return !roles_required_ ||
           std::find_first_of(roles.begin(), roles.end(), service_roles_.begin(),
                              service_roles_.end()) != roles.end();
  }

  // Tokens are no keys of the cache: their digests are.
  static std::string cache_key(const std::string& token) {
    Digest digest(DigestKind::kSha256);
    digest.update(token);
    return "authtoken/" + digest.finish_hex();
  }

  // From the cache, else from Keystone.
  Verdict judge(Request& request, const std::string& token) const {
    if (token.empty()) return {};
    const std::string key = cache_key(token);
    Cache* cache = cache_time_ > 0 ? request.context.cache : nullptr;
    if (cache != nullptr) {
      const auto text = request.context.foreseen.get(*cache, key);
      const auto known = text ? authtoken::parse_verdict(*text) : std::nullopt;
      if (known && !is_over(*known)) return *known;
    }
    Verdict verdict;
    try {
      verdict = keystone_.validate(token);
    } catch (const std::exception& error) {
      log_.error("Keystone: " + std::string(error.what()), request.context.trans_id);
      verdict.kind = Verdict::Kind::kUnknown;
      return verdict;
    }
    if (is_over(verdict)) verdict = {};
    if (cache != nullptr)
      cache->set(key, authtoken::to_json(verdict), std::chrono::seconds(cache_time_));
    return verdict;
  }

  bool is_over(const Verdict& verdict) const {
    return verdict.kind == Verdict::Kind::kValid && verdict.expires <= clock_.now();
  }

  void add_challenge(Response& out) const {
    std::string value(out.headers.get("Www-Authenticate"));
    if (!value.empty()) value += ", ";
    out.headers.set("Www-Authenticate", value + "Keystone uri=\"" + shown_uri_ + "\"");
  }

  Response refuse(const Request& request) const {
    Response out = request.method == "HEAD" ? error_response(401, true)
                                            : Response(401, "Authentication required");
    out.headers.set("Www-Authenticate", "Keystone uri=\"" + shown_uri_ + "\"");
    return out;
  }

  static Response unavailable(const Request& request) {
    if (request.method == "HEAD") return error_response(503, true);
    return Response(503, "The Keystone service is temporarily unavailable.");
  }

  Logger& log_;
  Clock& clock_;
  Keystone keystone_;
  bool delay_;
  std::int64_t cache_time_;
  std::vector<std::string> service_roles_;
  bool roles_required_;
  std::string shown_uri_;
};

}  // namespace

APUS_EXPORT_FILTER("authtoken", "1.0", AuthtokenFilter, kOptions)

}  // namespace apus
