// container_quotas: how many bytes and objects the owner of a container lets others put into it.
#include <apus/account_info.h>
#include <apus/plugin.h>

#include <array>

namespace apus {
namespace {

constexpr std::array<OptionSpec, 0> kOptions = {};

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

Response refusal(int status, std::string text) {
  return Response(status, std::move(text), "text/html; charset=UTF-8");
}

class ContainerQuotasFilter final : public Filter {
 public:
  ContainerQuotasFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)) {
    args.host.info().set("container_quotas", "{}");
  }

  Response operator()(Request& request) const override {
    const auto path = split_api_path(request.path, 3);
    if (!path) return next()(request);
    if (path->object.empty()) {
      if (auto refusal = judge_change(request)) return std::move(*refusal);
    } else if (request.method == "PUT") {
      const auto info = get_container_info(request, next(), path->account, path->container, "CQ");
      if (info->is_success() && is_over(request, *info)) return too_much(request, *info);
    }
    return next()(request);
  }

 private:
  static std::optional<Response> judge_change(const Request& request) {
    if (request.method != "PUT" && request.method != "POST") return std::nullopt;
    const std::string_view bytes = request.headers.get("X-Container-Meta-Quota-Bytes");
    if (!bytes.empty() && !is_digits(bytes)) return refusal(400, "Invalid bytes quota.");
    const std::string_view count = request.headers.get("X-Container-Meta-Quota-Count");
    if (!count.empty() && !is_digits(count)) return refusal(400, "Invalid count quota.");
    return std::nullopt;
  }

  // A quota past any size there can be is none.
  static bool is_over(const Request& request, const ContainerInfo& info) {
    const auto length = static_cast<std::int64_t>(request.content_length.value_or(0));
    const auto bytes = parse_digits(field_of(info.meta, "quota-bytes"));
    if (bytes && *bytes - info.bytes < length) return true;
    const auto count = parse_digits(field_of(info.meta, "quota-count"));
    return count && *count - info.object_count < 1;
  }

  // Who may not write here at all shall not learn that the container is there.
  static Response too_much(Request& request, const ContainerInfo& info) {
    if (request.context.authorize) {
      request.context.acl = info.write_acl;
      if (auto refusal = request.context.authorize(request)) return std::move(*refusal);
    }
    return refusal(413, "Upload exceeds quota.");
  }
};

}  // namespace

APUS_EXPORT_FILTER("container_quotas", "1.0", ContainerQuotasFilter, kOptions)

}  // namespace apus
