#include "framework/pipeline/required_filters.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace apus {
namespace {

struct Required {
  std::string_view name;
  std::span<const std::string_view> after;
};

constexpr std::string_view kAfterGatekeeper[] = {"catch_errors"};
constexpr std::string_view kAfterListing[] = {"catch_errors", "gatekeeper", "proxy_logging",
                                              "memcache"};
constexpr std::string_view kAfterCopy[] = {"staticweb",    "tempauth",   "keystoneauth",
                                           "catch_errors", "gatekeeper", "proxy_logging"};
constexpr std::string_view kAfterDlo[] = {
    "copy", "staticweb", "tempauth", "keystoneauth", "catch_errors", "gatekeeper", "proxy_logging"};
constexpr std::string_view kAfterVersions[] = {"slo",          "dlo",        "copy",
                                               "staticweb",    "tempauth",   "keystoneauth",
                                               "catch_errors", "gatekeeper", "proxy_logging"};

// In the order in which they shall stand; worked through from the last to the first.
constexpr Required kRequired[] = {
    {"catch_errors", {}},
    {"gatekeeper", kAfterGatekeeper},
    {"listing_formats", kAfterListing},
    {"copy", kAfterCopy},
    {"dlo", kAfterDlo},
    {"versioned_writes", kAfterVersions},
};

std::size_t first_of(const PasteApp& app, std::string_view plugin) {
  const auto at = std::find_if(app.filters.begin(), app.filters.end(),
                               [&](const PasteStage& stage) { return stage.plugin == plugin; });
  return static_cast<std::size_t>(at - app.filters.begin());
}

}  // namespace

void insert_required_filters(PasteApp& app, const PluginLoader& loader) {
  for (auto required = std::rbegin(kRequired); required != std::rend(kRequired); ++required) {
    if (first_of(app, required->name) < app.filters.size()) continue;
    const std::string name(required->name);
    if (!loader.has(name)) continue;
    std::size_t place = 0;
    std::string behind;
    for (const std::string_view after : required->after) {
      const std::size_t at = first_of(app, after);
      // gatekeeper follows catch_errors only where that stands first.
      if (name == "gatekeeper" && at != 0) continue;
      if (at < app.filters.size() && at + 1 > place) {
        place = at + 1;
        behind = after;
      }
    }
    PasteStage stage;
    stage.section = "filter:" + name;
    stage.name = name;
    stage.plugin = name;
    stage.reason = "added, for a proxy needs it: " +
                   (behind.empty() ? std::string("first") : "right behind " + behind);
    stage.globals = app.globals.empty() ? app.app.globals : app.globals;
    stage.options = stage.globals;
    app.filters.insert(app.filters.begin() + static_cast<std::ptrdiff_t>(place), std::move(stage));
  }
}

void insert_protocols(PasteApp& app, const PluginLoader& loader) {
  const std::string name = "ssync";
  if (first_of(app, name) < app.filters.size() || !loader.has(name)) return;
  PasteStage stage = app.app;
  stage.section = "filter:" + name;
  stage.name = name;
  stage.plugin = name;
  stage.reason = "added: the object server's SSYNC, with the options of its section";
  app.filters.push_back(std::move(stage));
}

}  // namespace apus
