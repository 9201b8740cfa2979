// healthcheck: GET /healthcheck says OK, or 503 while a file of the deployer's exists.
#include <apus/plugin.h>

#include <array>
#include <filesystem>

namespace apus {
namespace {

constexpr std::array kOptions = {
    OptionSpec{"disable_path", OptionType::kText, "", "while this file exists the answer is 503"},
};

class HealthcheckFilter final : public Filter {
 public:
  HealthcheckFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)), disable_path_(args.options.text("disable_path")) {}

  Response operator()(Request& request) const override {
    if (request.path != "/healthcheck") return next()(request);
    std::error_code error;
    if (!disable_path_.empty() && std::filesystem::exists(disable_path_, error))
      return Response(503, "DISABLED BY FILE");
    return Response(200, "OK");
  }

 private:
  std::string disable_path_;
};

}  // namespace

APUS_EXPORT_FILTER("healthcheck", "1.0", HealthcheckFilter, kOptions)

}  // namespace apus
