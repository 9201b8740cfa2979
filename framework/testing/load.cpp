#include <apus/testing/lint.h>
#include <apus/testing/load.h>

#include <list>
#include <mutex>
#include <stdexcept>

#include "framework/conf/server_options.h"
#include "framework/plugin/loader.h"

namespace apus::testing {
namespace {

// Plugins keep references to their options for as long as they live.
const Options& keep(Options options) {
  static std::mutex mutex;
  static auto* kept = new std::list<Options>();
  const std::lock_guard lock(mutex);
  return kept->emplace_back(std::move(options));
}

struct Loaded {
  const Descriptor& descriptor;
  const Options& options;
};

Loaded load(const std::string& plugin, const OptionTexts& texts, PluginKind kind) {
  PluginLoader loader;
  const Descriptor& descriptor = loader.load(plugin, kind);
  Options options =
      make_options(descriptor.stamp->name, descriptor.options, descriptor.option_count, texts);
  std::string wrong;
  for (const Options::Problem& problem : options.check(server_option_names()))
    wrong += (wrong.empty() ? "" : "\n") + problem.option + ": " + problem.message;
  if (!wrong.empty()) throw std::runtime_error(plugin + ": " + wrong);
  return {descriptor, keep(std::move(options))};
}

// An App that somebody else owns.
class Borrowed final : public App {
 public:
  explicit Borrowed(const App& app) : app_(app) {}
  Response operator()(Request& request) const override { return app_(request); }
  void foresee(const Request& request, ForeseenKeys& keys) const override {
    app_.foresee(request, keys);
  }

 private:
  const App& app_;
};

}  // namespace

Options make_options(const std::string& name, const OptionSpec* specs, std::size_t spec_count,
                     const OptionTexts& texts) {
  Options::Map values;
  for (const auto& [option, text] : texts)
    values[option] = {text, {"test.conf", 1, "filter:" + name}};
  return Options(name, specs, spec_count, std::move(values));
}

std::unique_ptr<const App> load_filter(const std::string& plugin, const OptionTexts& options,
                                       Host& host, const App& next) {
  const Loaded found = load(plugin, options, PluginKind::kFilter);
  const auto report = std::make_shared<LintReport>();
  auto below = std::make_unique<Lint>(std::make_unique<Borrowed>(next), "below " + plugin, report,
                                      Lint::Mode::kRecord);
  auto filter = found.descriptor.make_filter({found.options, host}, std::move(below));
  return std::make_unique<Lint>(std::move(filter), "above " + plugin, report);
}

std::unique_ptr<const App> load_app(const std::string& plugin, const OptionTexts& options,
                                    Host& host) {
  const Loaded found = load(plugin, options, PluginKind::kApp);
  return std::make_unique<Lint>(found.descriptor.make_app({found.options, host}),
                                "above " + plugin);
}

std::unique_ptr<Daemon> load_daemon(const std::string& plugin, const OptionTexts& options,
                                    Host& host) {
  const Loaded found = load(plugin, options, PluginKind::kDaemon);
  return found.descriptor.make_daemon({found.options, host});
}

std::unique_ptr<AuditWatcher> load_watcher(const std::string& plugin, const OptionTexts& options,
                                           Host& host) {
  const Loaded found = load(plugin, options, kWatcherPlugin);
  return PluginLoader::watcher_of(found.descriptor)
      .make({found.options, host, host.logger(found.options)});
}

}  // namespace apus::testing
