// keystoneauth: what users that Keystone knows may do, by their roles and by
// ACLs of ids and names.
#include <apus/account_info.h>
#include <apus/acl.h>
#include <apus/digest.h>
#include <apus/identity.h>
#include <apus/plugin.h>

#include <algorithm>
#include <array>
#include <map>

namespace apus {
namespace {

using enum OptionType;

constexpr std::array kOptions = {
    OptionSpec{"reseller_prefix", kText, "AUTH",
               "accounts are PREFIX_PROJECTID; several with commas"},
    OptionSpec{"operator_roles", kText, "admin, swiftoperator",
               "roles that own their project's account"},
    OptionSpec{"service_roles", kText, "", "roles that a service's token must bring beside"},
    OptionSpec{"project_reader_roles", kText, "", "roles that may read their project's account"},
    OptionSpec{"*operator_roles", kText, nullptr, "PREFIX_operator_roles: for that prefix alone"},
    OptionSpec{"*service_roles", kText, nullptr, "PREFIX_service_roles: for that prefix alone"},
    OptionSpec{"*project_reader_roles", kText, nullptr, "PREFIX_project_reader_roles: likewise"},
    OptionSpec{"reseller_admin_role", kText, "ResellerAdmin", "may do everything everywhere"},
    OptionSpec{"system_reader_roles", kText, "", "may read everything everywhere"},
    OptionSpec{"allow_overrides", kBool, "true", "let other filters decide first"},
    OptionSpec{"default_domain_id", kText, "default", "the domain whose names ACLs may use"},
    OptionSpec{"allow_names_in_acls", kBool, "true", "ACLs may hold names beside ids"},
    OptionSpec{"is_admin", kText, nullptr, "no longer read"},
};

constexpr const char* kDomainField = "X-Account-Sysmeta-Project-Domain-Id";
constexpr std::string_view kUnknownDomain = "_unknown";

using Names = std::vector<std::string>;

Names lower_all(const Names& names) {
  Names out;
  for (const std::string& name : names) out.push_back(lower(name));
  return out;
}

bool has(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool reads(const Request& request) { return request.method == "GET" || request.method == "HEAD"; }

// Where nobody has to be known: true = allowed, false = not, nothing = it does
// not say.
std::optional<bool> open_to_all(const Request& request, const ApiPath& path, const Acl& acl) {
  const std::string& key = request.context.sync_key;
  if (!key.empty() && constant_time_equal(key, request.headers.get("X-Container-Sync-Key")) &&
      (request.headers.has("X-Timestamp") || request.internal.has("X-Timestamp")))
    return true;
  if (!referrer_allowed(request.headers.get("Referer"), acl.referrers)) return std::nullopt;
  return !path.object.empty() || acl.listings;
}

Response denied(const Request& request) {
  return request.context.remote_user.empty() ? unauthorized_response(request)
                                             : error_response(403, request.method == "HEAD");
}

class KeystoneauthFilter final : public Filter {
 public:
  KeystoneauthFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        log_(args.host.logger(args.options)),
        resellers_(args.options),
        reseller_admin_(lower(args.options.text("reseller_admin_role"))),
        system_readers_(lower_all(split_list(args.options.text("system_reader_roles")))),
        overrides_(args.options.flag("allow_overrides")),
        default_domain_(args.options.text("default_domain_id")),
        names_(args.options.flag("allow_names_in_acls")) {
    for (const std::string& prefix : resellers_.prefixes()) {
      const auto roles = [&](const char* name) {
        return lower_all(split_list(resellers_.option(prefix, name)));
      };
      rules_[prefix] = {roles("operator_roles"), roles("service_roles"),
                        roles("project_reader_roles")};
    }
    if (is_true(args.options.text("is_admin")))
      log_.warning("is_admin is no longer supported; remove it");
  }

  Response operator()(Request& request) const override {
    if (overrides_ && request.context.authorize_override) return next()(request);
    if (const auto identity = request.context.identity) {
      request.context.remote_user = identity->project_id;
      if (request.context.remote_user.empty()) request.context.remote_user = identity->user_id;
      if (has(lower_all(identity->roles), reseller_admin_)) request.context.reseller_request = true;
      request.context.authorize = [this, identity](Request& asked) {
        return authorize(asked, *identity);
      };
    } else {
      request.context.authorize = [this](Request& asked) { return authorize_anonymous(asked); };
    }
    Response out = next()(request);
    const std::string domain(out.internal.get(kDomainField));
    if (!domain.empty()) out.headers.set("X-Account-Project-Domain-Id", domain);
    return out;
  }

 private:
  struct Rules {
    Names operators;
    Names services;
    Names readers;
  };

  std::optional<Response> authorize_anonymous(Request& request) const {
    const auto path = split_api_path(request.path, 1);
    if (!path) return error_response(404, request.method == "HEAD");
    if (request.method == "OPTIONS") return std::nullopt;
    if (path->account.empty() || resellers_.prefix_of(path->account) == nullptr)
      return denied(request);
    const bool allowed =
        open_to_all(request, *path, parse_acl(request.context.acl)).value_or(false);
    return allowed ? clean_container_acls(request) : std::optional(denied(request));
  }

  std::optional<Response> authorize(Request& request, const Identity& identity) const {
    request.context.swift_owner = false;  // of an earlier question, as in a copy
    if (request.method == "OPTIONS") return std::nullopt;
    const auto path = split_api_path(request.path, 1);
    if (!path) return error_response(404, request.method == "HEAD");
    set_domain(request, *path, identity);
    if (!may(request, *path, identity)) return denied(request);
    return clean_container_acls(request);
  }

  bool may(Request& request, const ApiPath& path, const Identity& identity) const {
    const Names roles = lower_all(identity.roles);
    if (has(roles, reseller_admin_)) {
      request.context.swift_owner = true;
      return true;
    }
    if (reads(request) && intersect(system_readers_, roles)) return true;
    if (path.container.empty() && request.method == "DELETE") return false;
    const Acl acl = parse_acl(request.context.acl);
    if (in_acl(request, path, identity, acl)) return true;
    const auto open = open_to_all(request, path, acl);
    if (open.value_or(false)) return true;
    if (!is_own(path, identity)) return false;
    const Rules& rules = rules_.at(*resellers_.prefix_of(path.account));
    if (is_operator(rules, roles, identity)) {
      request.context.swift_owner = true;
      return true;
    }
    if (reads(request) && intersect(rules.readers, roles)) return true;
    return !open && intersect(lower_all(acl.groups), roles);
  }

  static bool is_operator(const Rules& rules, const Names& roles, const Identity& identity) {
    return intersect(rules.operators, roles) &&
           (rules.services.empty() || intersect(rules.services, lower_all(identity.service_roles)));
  }

  // The account of the project that the token is for.
  bool is_own(const ApiPath& path, const Identity& identity) const {
    const auto& prefixes = resellers_.prefixes();
    return !identity.project_id.empty() &&
           std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& prefix) {
             return path.account == prefix + identity.project_id;
           });
  }

  // "PROJECT:USER" with ids, "*", and names where they are unique.
  bool in_acl(Request& request, const ApiPath& path, const Identity& identity,
              const Acl& acl) const {
    if (acl.groups.empty()) return false;
    Names projects{identity.project_id, "*"};
    Names users{identity.user_id, "*"};
    if (names_fit(request, path, identity)) {
      projects.push_back(identity.project_name);
      users.push_back(identity.user_name);
    }
    for (const std::string& project : projects) {
      for (const std::string& user : users) {
        if (!project.empty() && !user.empty() && has(acl.groups, project + ":" + user)) return true;
      }
    }
    return false;
  }

  // Only names of the default domain mean one thing to everybody.
  bool names_fit(Request& request, const ApiPath& path, const Identity& identity) const {
    const auto foreign = [&](const std::string& domain) {
      return !domain.empty() && domain != default_domain_;
    };
    if (!names_ || foreign(identity.user_domain_id) || foreign(identity.project_domain_id))
      return false;
    if (is_own(path, identity)) return true;
    const auto info = get_account_info(request, next(), path.account, "KS");
    const auto domain = info->sysmeta.find("project-domain-id");
    return exists(*info) && (domain == info->sysmeta.end() || domain->second == default_domain_);
  }

  static bool exists(const AccountInfo& info) { return info.is_success() && info.really_exists; }

  // Notes the domain of an account's project when the account is made or
  // changed.
  void set_domain(Request& request, const ApiPath& path, const Identity& identity) const {
    const bool makes =
        request.method == "PUT" || (request.method == "POST" && path.container.empty());
    if (!makes || !path.object.empty() || path.account.empty() ||
        request.internal.has(kDomainField))
      return;
    const auto info = get_account_info(request, next(), path.account, "KS");
    const auto at = info->sysmeta.find("project-domain-id");
    const bool known = at != info->sysmeta.end();
    const bool own = is_own(path, identity);
    const std::string& said = identity.project_domain_id;
    if (!exists(*info)) {
      if (!own || !said.empty())
        request.internal.set(kDomainField, own ? said : std::string(kUnknownDomain));
    } else if (!known && own && said == default_domain_) {
      request.internal.set(kDomainField, said);
    } else if (known && at->second == kUnknownDomain && own) {
      request.internal.set(kDomainField, said);
    } else if (known && own && at->second != said) {
      log_.warning("Inconsistent project domain id: " + said + " in token vs " + at->second +
                       " in account metadata.",
                   request.context.trans_id);
    }
  }

  Logger& log_;
  Resellers resellers_;
  std::string reseller_admin_;
  Names system_readers_;
  bool overrides_;
  std::string default_domain_;
  bool names_;
  std::map<std::string, Rules> rules_;  // by prefix
};

}  // namespace

APUS_EXPORT_FILTER("keystoneauth", "1.0", KeystoneauthFilter, kOptions)

}  // namespace apus
