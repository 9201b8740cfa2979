// gatekeeper: what servers tell each other stays out of clients' requests and answers, and a
// client's X-Timestamp aside.
#include <apus/plugin.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace apus {
namespace {

constexpr std::array kOptions = {
    OptionSpec{"shunt_inbound_x_timestamp", OptionType::kBool, "true",
               "keep a client's X-Timestamp from counting"},
    OptionSpec{"allow_reserved_names_header", OptionType::kBool, "false",
               "let X-Allow-Reserved-Names through: for operators and tests, not for the public"},
};

bool is_kept_inside(std::string_view name) {
  return is_internal_name(name) || starts_with_name(name, "X-Backend");
}

// Path, query and fragment of "scheme://host/path?query#fragment".
std::string relative(std::string_view location) {
  std::size_t start = 0;
  const std::size_t colon = location.find(':');
  const bool has_scheme =
      colon != std::string_view::npos && colon > 0 &&
      std::all_of(
          location.begin(), location.begin() + static_cast<long>(colon),
          [](unsigned char c) { return std::isalnum(c) != 0 || c == '+' || c == '-' || c == '.'; });
  if (has_scheme) start = colon + 1;
  if (location.substr(start).starts_with("//")) {
    start = std::min(location.find_first_of("/?#", start + 2), location.size());
  }
  return std::string(location.substr(start));
}

class GatekeeperFilter final : public Filter {
 public:
  GatekeeperFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        log_(args.host.logger(args.options)),
        shunt_(args.options.flag("shunt_inbound_x_timestamp")),
        allow_reserved_(args.options.flag("allow_reserved_names_header")) {}

  Response operator()(Request& request) const override {
    remove_kept_inside(request.headers, "removed request headers: ", request.context.trans_id);
    shunt(request);
    Response out = next()(request);
    remove_kept_inside(out.headers, "removed response headers: ", request.context.trans_id);
    if (request.context.leave_relative_location) {
      if (const std::string* location = out.headers.find("Location"))
        out.headers.set("Location", relative(*location));
    }
    return out;
  }

 private:
  void remove_kept_inside(Headers& headers, std::string_view what,
                          const std::string& trans_id) const {
    if (std::none_of(headers.begin(), headers.end(),
                     [](const auto& field) { return is_kept_inside(field.first); })) {
      return;
    }
    std::string names;
    headers.erase_if([&](std::string_view name) {
      if (!is_kept_inside(name)) return false;
      names.append(names.empty() ? "" : ", ").append(name);
      return true;
    });
    log_.debug(std::string(what) + names, trans_id);
  }

  void shunt(Request& request) const {
    const std::string* stamp = request.headers.find("X-Timestamp");
    if (stamp != nullptr && !shunt_) request.internal.set("X-Timestamp", *stamp);
    if (stamp != nullptr && shunt_) {
      log_.debug("shunted request headers: X-Timestamp " + *stamp, request.context.trans_id);
      request.internal.set("X-Backend-Inbound-X-Timestamp", *stamp);
      request.headers.erase("X-Timestamp");
    }
    const std::string* allow = request.headers.find("X-Allow-Reserved-Names");
    if (allow == nullptr || !allow_reserved_) return;
    request.internal.set("X-Backend-Allow-Reserved-Names", *allow);
    request.context.allow_reserved_names = is_true(*allow);
    request.headers.erase("X-Allow-Reserved-Names");
  }

  Logger& log_;
  bool shunt_;
  bool allow_reserved_;
};

}  // namespace

APUS_EXPORT_FILTER("gatekeeper", "1.0", GatekeeperFilter, kOptions)

}  // namespace apus
