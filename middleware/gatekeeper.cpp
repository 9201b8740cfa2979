// gatekeeper: what servers tell each other stays out of clients' requests, and their X-Timestamp
// aside.
#include <apus/plugin.h>

#include <array>

namespace apus {
namespace {

constexpr std::array kOptions = {
    OptionSpec{"shunt_inbound_x_timestamp", OptionType::kBool, "true",
               "keep a client's X-Timestamp from counting"},
    OptionSpec{"allow_reserved_names_header", OptionType::kBool, "false",
               "let X-Allow-Reserved-Names through"},
};

class GatekeeperFilter final : public Filter {
 public:
  GatekeeperFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)), shunt_(args.options.flag("shunt_inbound_x_timestamp")) {}

  Response operator()(Request& request) const override {
    request.headers.erase_if([](std::string_view name) { return is_internal_name(name); });
    if (const std::string* stamp = request.headers.find("X-Timestamp");
        stamp != nullptr && shunt_) {
      request.internal.set("X-Backend-Inbound-X-Timestamp", *stamp);
      request.headers.erase("X-Timestamp");
    }
    return next()(request);
  }

 private:
  bool shunt_;
};

}  // namespace

APUS_EXPORT_FILTER("gatekeeper", "1.0", GatekeeperFilter, kOptions)

}  // namespace apus
