// read_only: no writes to the cluster, or to single accounts.
#include <apus/account_info.h>
#include <apus/constraints.h>
#include <apus/plugin.h>

#include <array>

namespace apus {
namespace {

constexpr std::array kOptions = {
    OptionSpec{"read_only", OptionType::kBool, "false",
               "the whole cluster; X-Account-Sysmeta-Read-Only of an account goes before it"},
    OptionSpec{"allow_deletes", OptionType::kBool, "false", "DELETE is no write"},
};

class ReadOnlyFilter final : public Filter {
 public:
  ReadOnlyFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        limits_(args.host.swift_conf().constraints),
        read_only_(args.options.flag("read_only")),
        allow_deletes_(args.options.flag("allow_deletes")) {
    if (read_only_) args.host.info().set("read_only", "{}");
  }

  Response operator()(Request& request) const override {
    const auto path = writes(request.method) ? split_api_path(request.path, 2) : std::nullopt;
    if (!path || !is_valid_api_version(path->version, limits_)) return next()(request);
    std::string account(path->account);
    const std::string* destination = request.headers.find("Destination-Account");
    if (request.method == "COPY" && destination != nullptr) {
      account = unquote(*destination);
      if (auto refusal = check_name_format(account, "Account")) return std::move(*refusal);
    }
    if (!is_read_only(request, account)) return next()(request);
    return Response(405, "Writes are disabled for this account.", "text/html; charset=UTF-8");
  }

 private:
  [[nodiscard]] bool writes(std::string_view method) const {
    return method == "PUT" || method == "POST" || method == "COPY" ||
           (method == "DELETE" && !allow_deletes_);
  }

  bool is_read_only(Request& request, const std::string& account) const {
    const auto info = get_account_info(request, next(), account, "RO");
    const std::string_view marked = field_of(info->sysmeta, "read-only");
    return marked.empty() ? read_only_ : is_true(marked);
  }

  const Constraints& limits_;
  bool read_only_;
  bool allow_deletes_;
};

}  // namespace

APUS_EXPORT_FILTER("read_only", "1.0", ReadOnlyFilter, kOptions)

}  // namespace apus
