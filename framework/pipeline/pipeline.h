// From a resolved conf to an App: loads what it names, checks all options, then makes it, inside
// out.
#pragma once

#include <apus/app.h>
#include <apus/host.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "framework/conf/paste.h"
#include "framework/plugin/loader.h"

namespace apus {

/// One loaded stage: what was asked for and what was found.
struct LoadedStage {
  PasteStage stage;
  const Descriptor* descriptor = nullptr;
  Options options;
  std::filesystem::path file;  ///< of the plugin
  bool added = false;          ///< not in the conf: put in because the app needs it

  /// Why it stands where it stands.
  [[nodiscard]] const std::string& reason() const { return stage.reason; }
};

/// A whole app, loaded and checked but not made.
struct LoadedApp {
  struct Route {
    std::string prefix;
    std::vector<LoadedApp> app;  ///< exactly one
  };
  std::vector<LoadedStage> filters;
  LoadedStage app;
  std::vector<Route> routes;
  std::vector<LoadedApp> not_found;  ///< at most one

  /// True when the app behind the filters is a back end.
  [[nodiscard]] APUS_API bool trusted() const;
};

/// Loads every plugin of the conf and checks every option, collecting all problems. In front of a
/// proxy the filters that Swift's proxy cannot do without are added where they are missing, unless
/// it is taken `as_is`.
APUS_API LoadedApp load_app(const PasteApp& app, PluginLoader& loader,
                            std::vector<ConfProblem>& problems, bool as_is = false);

/// Makes the app and its filters. Throws std::runtime_error with the factory's text. `loaded` and
/// `host` outlive the result.
APUS_API std::unique_ptr<const App> make_app(const LoadedApp& loaded, Host& host);

}  // namespace apus
