// account_quotas: what resellers allow an account to hold, in bytes and objects, in all and by
// storage policy.
#include <apus/account_info.h>
#include <apus/plugin.h>

#include <array>
#include <map>

namespace apus {
namespace {

constexpr std::array<OptionSpec, 0> kOptions = {};

constexpr std::array<std::string_view, 2> kKinds = {"Quota-Bytes", "Quota-Count"};
constexpr std::string_view kUpload = "Upload exceeds quota.";
constexpr std::string_view kPolicyUpload = "Upload exceeds policy quota.";

bool has_digits_alone(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

class AccountQuotasFilter final : public Filter {
 public:
  AccountQuotasFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)) {
    for (const std::string_view kind : kKinds) {
      const std::string name(kind);
      fields_.push_back({name, name});
      for (const StoragePolicy& policy : args.host.swift_conf().policies)
        fields_.push_back(
            {name + "-Policy-" + policy.name, name + "-Policy-" + std::to_string(policy.index)});
    }
    args.host.info().set("account_quotas", "{}");
  }

  Response operator()(Request& request) const override {
    const std::string path_text = request.path;
    const auto path = split_api_path(path_text, 2);
    if (!path) return next()(request);
    if (path->container.empty()) return account(request);
    if (request.method != "PUT" || path->object.empty() || request.context.reseller_request)
      return next()(request);
    const std::string_view excess = find_excess(request, *path);
    if (!excess.empty()) {
      if (!request.context.authorize) return too_much(excess);
      refuse_when_allowed(request, excess);
    }
    return next()(request);
  }

 private:
  // One quota: "X-Account-SHOWN" for clients, "X-Account-Sysmeta-KEPT" below.
  struct Field {
    std::string shown;
    std::string kept;
  };

  static Response too_much(std::string_view text) {
    return Response(413, std::string(text), "text/html; charset=UTF-8");
  }

  Response account(Request& request) const {
    if (request.method == "PUT" || request.method == "POST") {
      take_old_form(request);
      if (auto refusal = take_changes(request)) return std::move(*refusal);
    }
    Response out = next()(request);
    for (const Field& field : fields_) {
      const std::string_view value = out.internal.get("X-Account-Sysmeta-" + field.kept);
      if (!value.empty()) out.headers.set("X-Account-" + field.shown, std::string(value));
    }
    return out;
  }

  // X-Account-Meta-Quota-Bytes, as clients before the newer names say it.
  static void take_old_form(Request& request) {
    for (const std::string prefix : {"X-Account-", "X-Remove-Account-"}) {
      const std::string* old = request.headers.find(prefix + "Meta-Quota-Bytes");
      const std::string name = prefix + "Quota-Bytes";
      if (old != nullptr && request.headers.get(name).empty())
        request.headers.set(name, std::string(*old));
    }
  }

  // Only resellers set quotas, and only to digits; nothing, or X-Remove, takes one away.
  std::optional<Response> take_changes(Request& request) const {
    std::map<std::string, std::string> changes;
    for (const Field& field : fields_) {
      const std::string* value = request.headers.find("X-Account-" + field.shown);
      if (!request.headers.get("X-Remove-Account-" + field.shown).empty()) {
        changes["X-Account-Sysmeta-" + field.kept] = "";
      } else if (value != nullptr) {
        changes["X-Account-Sysmeta-" + field.kept] = *value;
      }
      request.headers.erase("X-Account-" + field.shown);
      request.headers.erase("X-Remove-Account-" + field.shown);
    }
    if (!changes.empty() && !request.context.reseller_request) return error_response(403);
    for (const auto& [name, value] : changes) {
      if (!has_digits_alone(value)) return error_response(400);
    }
    for (const auto& [name, value] : changes) request.internal.set(name, value);
    return std::nullopt;
  }

  // Negative when there is none, or when it is past any size there can be.
  static std::int64_t quota(const InfoFields& fields, const std::string& name) {
    return parse_int(field_of(fields, name)).value_or(-1);
  }

  static bool exceeds(std::int64_t quota, std::int64_t used, std::int64_t more) {
    return quota >= 0 && quota - used < more;
  }

  // Why the upload is too much; empty when it is not.
  std::string_view find_excess(Request& request, const ApiPath& path) const {
    const auto length = static_cast<std::int64_t>(request.content_length.value_or(0));
    const auto info = get_account_info(request, next(), path.account, "AQ");
    const bool newer = info->sysmeta.contains("quota-bytes");
    if (exceeds(quota(newer ? info->sysmeta : info->meta, "quota-bytes"), info->bytes, length) ||
        exceeds(quota(info->sysmeta, "quota-count"), info->total_object_count, 1))
      return kUpload;
    const auto container = get_container_info(request, next(), path.account, path.container, "AQ");
    const int policy = container->storage_policy;
    const std::string tail = "-policy-" + std::to_string(policy);
    const auto at = info->storage_policies.find(policy);
    const AccountInfo::PolicyUse use =
        at == info->storage_policies.end() ? AccountInfo::PolicyUse() : at->second;
    if (exceeds(quota(info->sysmeta, "quota-bytes" + tail), use.bytes, length) ||
        exceeds(quota(info->sysmeta, "quota-count" + tail), use.object_count, 1))
      return kPolicyUpload;
    return "";
  }

  // Who may not write here at all shall not learn that the account is full.
  static void refuse_when_allowed(Request& request, std::string_view text) {
    request.context.authorize = [asked = request.context.authorize, text](Request& again) {
      auto refusal = asked(again);
      return refusal ? std::move(refusal) : std::optional(too_much(text));
    };
  }

  std::vector<Field> fields_;
};

}  // namespace

APUS_EXPORT_FILTER("account_quotas", "1.0", AccountQuotasFilter, kOptions)

}  // namespace apus
