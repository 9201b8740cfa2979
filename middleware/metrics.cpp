// metrics: GET /metrics shows the process's numbers in Prometheus' text format, the time of each
// filter among them.
#include <apus/plugin.h>

#include <array>

namespace apus {
namespace {

constexpr std::array kOptions = {
    OptionSpec{"metrics_path", OptionType::kText, "/metrics", "where to ask"},
};

class MetricsFilter final : public Filter {
 public:
  MetricsFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        metrics_(args.host.metrics()),
        path_(args.options.text("metrics_path")) {}

  Response operator()(Request& request) const override {
    if (request.path != path_) return next()(request);
    if (request.method != "GET" && request.method != "HEAD")
      return method_not_allowed(request, "GET, HEAD");
    return Response(200, metrics_.prometheus_text(), "text/plain; version=0.0.4; charset=utf-8");
  }

 private:
  Metrics& metrics_;
  std::string path_;
};

}  // namespace

APUS_EXPORT_FILTER("metrics", "1.0", MetricsFilter, kOptions)

}  // namespace apus
