#include "plugins/object-auditor/watchers.h"

#include <algorithm>
#include <exception>
#include <stdexcept>

#include "framework/conf/paste.h"
#include "framework/conf/server_options.h"
#include "framework/plugin/loader.h"

namespace apus {
namespace {

// The watcher's own section over the auditor's options.
Options::Map values_of(const Options& auditor, const std::string& name) {
  Options::Map out = auditor.all();
  const auto at = std::find_if(out.begin(), out.end(),
                               [](const auto& one) { return one.second.origin.line > 0; });
  if (at == out.end()) return out;
  std::vector<ConfProblem> problems;
  const std::string section = "object-auditor:watcher:" + name;
  const ConfFile file = read_conf(at->second.origin.file, problems);
  if (file.find(section) == nullptr) return out;
  for (auto& [option, value] : resolve_daemon(file, section, problems)) {
    if (option != "log_name") out[option] = std::move(value);
  }
  return out;
}

// Those of the auditor are never unknown to a watcher.
void check(const Options& options, const Options& auditor) {
  std::vector<std::string> ambient = server_option_names();
  for (const auto& [option, value] : auditor.all()) ambient.push_back(option);
  for (const Options::Problem& problem : options.check(ambient)) {
    if (problem.fatal)
      throw std::runtime_error("watcher " + options.name() + ": " + problem.option + ": " +
                               problem.message);
  }
}

}  // namespace

WatcherPlugins::WatcherPlugins(const Options& options) {
  const std::vector<std::string> names = options.list("watchers");
  if (names.empty()) return;
  const std::vector<std::string> more = options.list("plugin_path");
  PluginLoader loader({more.begin(), more.end()});
  for (const std::string& name : names) {
    const Descriptor& plugin = loader.load(name.substr(name.find('#') + 1), kWatcherPlugin);
    Options own(name, plugin.options, plugin.option_count, values_of(options, name));
    check(own, options);
    all_.push_back({name, &PluginLoader::watcher_of(plugin), std::move(own)});
  }
}

Watchers::Watchers(const WatcherPlugins& plugins, Host& host, Logger& log) {
  for (const WatcherPlugins::One& plugin : plugins.all()) {
    One one{plugin.name,
            std::make_unique<PrefixedLogger>(log, "[audit-watcher " + plugin.name + "] "), nullptr};
    try {
      one.watcher = plugin.plugin->make({plugin.options, host, *one.log});
    } catch (const std::exception& error) {
      one.log->error(std::string("Error initializing watcher: ") + error.what());
    }
    all_.push_back(std::move(one));
  }
  log.debug(std::to_string(all_.size()) + " audit watcher(s) loaded");
}

void Watchers::start(AuditKind kind) {
  for (One& one : all_) {
    if (!one.watcher) continue;
    try {
      one.watcher->start(kind);
    } catch (const std::exception& error) {
      one.log->error(std::string("Error starting watcher: ") + error.what());
      one.watcher.reset();
    }
  }
}

std::string Watchers::see_object(const AuditedObject& object) {
  for (One& one : all_) {
    if (!one.watcher) continue;
    try {
      if (one.watcher->see_object(object) == AuditVerdict::kQuarantine) return one.name;
    } catch (const std::exception& error) {
      one.log->error("Error in see_object(" + object.data_file + "): " + error.what());
    }
  }
  return "";
}

void Watchers::end() {
  for (One& one : all_) {
    if (!one.watcher) continue;
    try {
      one.watcher->end();
    } catch (const std::exception& error) {
      one.log->error(std::string("Error ending watcher: ") + error.what());
      one.watcher.reset();
    }
  }
}

}  // namespace apus
