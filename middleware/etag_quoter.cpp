// etag_quoter: ETags of objects in double quotes, as the RFC wants them, where account or container
// asks for it.
#include <apus/account_info.h>
#include <apus/constraints.h>
#include <apus/plugin.h>

#include <array>

namespace apus {
namespace {

constexpr std::array kOptions = {
    OptionSpec{"enable_by_default", OptionType::kBool, "false",
               "for accounts and containers that do not say"},
};
constexpr std::string_view kField = "rfc-compliant-etags";

class EtagQuoterFilter final : public Filter {
 public:
  EtagQuoterFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        limits_(args.host.swift_conf().constraints),
        by_default_(args.options.flag("enable_by_default")) {
    args.host.info().set("etag_quoter", by_default_ ? R"({"enable_by_default": true})"
                                                    : R"({"enable_by_default": false})");
  }

  Response operator()(Request& request) const override {
    const auto path = split_api_path(request.path, 2);
    if (!path || !is_valid_api_version(path->version, limits_)) return next()(request);
    if (path->object.empty()) return translate(request, path->container.empty());
    const bool quoted = wanted(request, std::string(path->account), std::string(path->container));
    Response out = next()(request);
    const std::string* etag = quoted ? out.headers.find("Etag") : nullptr;
    if (etag != nullptr && !is_quoted(*etag)) out.headers.set("Etag", "\"" + *etag + "\"");
    return out;
  }

 private:
  static bool is_quoted(std::string_view etag) {
    return (etag.starts_with('"') || etag.starts_with("W/\"")) && etag.ends_with('"');
  }

  // The client's header and the stored one are two names for one thing.
  Response translate(Request& request, bool account) const {
    const std::string kind = account ? "Account" : "Container";
    const std::string shown = "X-" + kind + "-Rfc-Compliant-Etags";
    const std::string stored = "X-" + kind + "-Sysmeta-Rfc-Compliant-Etags";
    if (const std::string* value = request.headers.find(shown))
      request.internal.set(stored, value->empty() ? "" : is_true(*value) ? "True" : "False");
    if (!request.headers.get("X-Remove-" + kind + "-Rfc-Compliant-Etags").empty())
      request.internal.set(stored, "");
    Response out = next()(request);
    if (const std::string* value = out.internal.find(stored)) {
      out.headers.set(shown, *value);
      out.internal.erase(stored);
    }
    return out;
  }

  bool wanted(Request& request, const std::string& account, const std::string& container) const {
    const auto its = get_container_info(request, next(), account, container, "EQ");
    if (!its->is_success()) return false;
    if (const auto at = its->sysmeta.find(kField); at != its->sysmeta.end())
      return is_true(at->second);
    const auto above = get_account_info(request, next(), account, "EQ");
    if (!above->is_success()) return false;
    const auto at = above->sysmeta.find(kField);
    return at != above->sysmeta.end() ? is_true(at->second) : by_default_;
  }

  const Constraints& limits_;
  bool by_default_;
};

}  // namespace

APUS_EXPORT_FILTER("etag_quoter", "1.0", EtagQuoterFilter, kOptions)

}  // namespace apus
