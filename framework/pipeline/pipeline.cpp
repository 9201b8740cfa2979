#include "framework/pipeline/pipeline.h"

#include <algorithm>
#include <stdexcept>

#include "framework/conf/server_options.h"
#include "framework/metrics/registry.h"
#include "framework/pipeline/not_built.h"
#include "framework/pipeline/required_filters.h"
#include "framework/pipeline/timed_stage.h"

namespace apus {
namespace {

LoadedStage load_stage(const PasteStage& stage, PluginKind kind, PluginLoader& loader,
                       std::vector<ConfProblem>& problems) {
  LoadedStage out{stage, nullptr, {}, {}};
  if (stage.plugin.empty()) return out;
  const std::string_view reason = why_not_built(stage.plugin);
  if (!reason.empty() && !loader.has(stage.plugin)) {
    problems.push_back({true, stage.origin, "use", stage.plugin + " " + std::string(reason)});
    return out;
  }
  try {
    out.file = loader.find(stage.plugin);
    out.descriptor = &loader.load(stage.plugin, kind);
  } catch (const PluginError& error) {
    problems.push_back({true, stage.origin, "use", error.what()});
    return out;
  }
  out.options =
      Options(stage.name, out.descriptor->options, out.descriptor->option_count, stage.options);
  bool sound = true;
  for (const Options::Problem& problem : out.options.check(server_option_names())) {
    ConfProblem told{problem.fatal, problem.origin, problem.option, problem.message};
    if (told.origin.file.empty()) told.origin = stage.origin;
    sound = sound && !problem.fatal;
    problems.push_back(std::move(told));
  }
  if (const auto check = sound ? PluginLoader::check_of(*out.descriptor) : nullptr) {
    try {
      check(out.options);
    } catch (const std::exception& error) {
      problems.push_back({true, stage.origin, "", error.what()});
    }
  }
  return out;
}

// Chooses an app by the start of the path, as a urlmap does; the prefix is cut off.
class UrlMap final : public App {
 public:
  struct Entry {
    std::string prefix;
    std::unique_ptr<const App> app;
  };
  UrlMap(std::vector<Entry> entries, std::unique_ptr<const App> not_found)
      : entries_(std::move(entries)), not_found_(std::move(not_found)) {}

  Response operator()(Request& request) const override {
    for (const Entry& entry : entries_) {
      const std::string& path = request.path;
      if (!path.starts_with(entry.prefix)) continue;
      if (path.size() > entry.prefix.size() && path[entry.prefix.size()] != '/') continue;
      request.path.erase(0, entry.prefix.size());
      if (request.path.empty()) request.path = "/";
      return (*entry.app)(request);
    }
    if (not_found_ != nullptr) return (*not_found_)(request);
    return error_response(404, request.method == "HEAD");
  }

 private:
  std::vector<Entry> entries_;
  std::unique_ptr<const App> not_found_;
};

// Null where nobody would see the times: they are taken when the pipeline has a filter that shows
// them.
MetricsRegistry* registry_for(const LoadedApp& loaded, Host& host) {
  const bool shown =
      std::any_of(loaded.filters.begin(), loaded.filters.end(), [](const LoadedStage& stage) {
        const bool profile = stage.stage.plugin == "xprofile";
        return stage.stage.plugin == "metrics" || (profile && stage.options.flag("enabled"));
      });
  auto* metrics = shown ? dynamic_cast<PrefixedMetrics*>(&host.metrics()) : nullptr;
  return metrics != nullptr ? &metrics->registry() : nullptr;
}

std::unique_ptr<const App> timed(std::unique_ptr<const App> app, const std::string& name,
                                 MetricsRegistry* registry) {
  return registry != nullptr ? time_stage(std::move(app), registry->stage(name)) : std::move(app);
}

}  // namespace

bool LoadedApp::trusted() const {
  return app.descriptor != nullptr && (app.descriptor->stamp->flags & kPluginTrusted) != 0;
}

LoadedApp load_app(const PasteApp& app, PluginLoader& loader, std::vector<ConfProblem>& problems,
                   bool as_is) {
  LoadedApp out;
  PasteApp wanted = app;
  if (!as_is && wanted.routes.empty() && wanted.app.plugin == "proxy")
    insert_required_filters(wanted, loader);
  if (wanted.routes.empty() && wanted.app.plugin == "object") insert_protocols(wanted, loader);
  for (const PasteStage& stage : wanted.filters) {
    out.filters.push_back(load_stage(stage, PluginKind::kFilter, loader, problems));
    out.filters.back().added = stage.origin.line == 0;
  }
  for (const PasteApp::Route& route : wanted.routes) {
    out.routes.push_back({route.prefix, {}});
    out.routes.back().app.push_back(load_app(route.app.front(), loader, problems, as_is));
  }
  for (const PasteApp& other : wanted.not_found)
    out.not_found.push_back(load_app(other, loader, problems, as_is));
  if (wanted.routes.empty()) {
    wanted.app.reason = "the app: answers what the filters let through";
    out.app = load_stage(wanted.app, PluginKind::kApp, loader, problems);
  }
  return out;
}

std::unique_ptr<const App> make_app(const LoadedApp& loaded, Host& host) {
  MetricsRegistry* registry = registry_for(loaded, host);
  std::unique_ptr<const App> app;
  if (loaded.routes.empty()) {
    app = timed(loaded.app.descriptor->make_app({loaded.app.options, host}), loaded.app.stage.name,
                registry);
  } else {
    std::vector<UrlMap::Entry> entries;
    for (const LoadedApp::Route& route : loaded.routes) {
      entries.push_back({route.prefix, make_app(route.app.front(), host)});
    }
    std::unique_ptr<const App> other;
    if (!loaded.not_found.empty()) other = make_app(loaded.not_found.front(), host);
    app = std::make_unique<const UrlMap>(std::move(entries), std::move(other));
  }
  for (auto stage = loaded.filters.rbegin(); stage != loaded.filters.rend(); ++stage) {
    try {
      app = stage->descriptor->make_filter({stage->options, host}, std::move(app));
      app = timed(std::move(app), stage->stage.name, registry);
    } catch (const std::exception& error) {
      throw std::runtime_error(ConfProblem{true, stage->stage.origin, "", error.what()}.text());
    }
  }
  return app;
}

}  // namespace apus
