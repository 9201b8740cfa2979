// Plugins under test: the real shared object, through the real loader and its own factory.
#pragma once

#include <apus/app.h>
#include <apus/audit_watcher.h>
#include <apus/host.h>
#include <apus/options.h>

#include <map>
#include <memory>
#include <string>

namespace apus::testing {

/// Options as a conf has them.
using OptionTexts = std::map<std::string, std::string>;

/// A filter in front of `next`, with a Lint on both sides. `plugin` is a name, looked for in
/// ../lib/apus beside the test program and among the installed plugins, or a path with '/'. Throws
/// std::runtime_error where `apus` would refuse to start: the plugin does not fit, an option is
/// unknown or wrong, or the factory says no. `host` and `next` outlive the result.
std::unique_ptr<const App> load_filter(const std::string& plugin, const OptionTexts& options,
                                       Host& host, const App& next);

/// An app, with a Lint above it.
std::unique_ptr<const App> load_app(const std::string& plugin, const OptionTexts& options,
                                    Host& host);

std::unique_ptr<Daemon> load_daemon(const std::string& plugin, const OptionTexts& options,
                                    Host& host);

/// A watcher of the object auditor; its lines are `host`'s.
std::unique_ptr<AuditWatcher> load_watcher(const std::string& plugin, const OptionTexts& options,
                                           Host& host);

/// The options of a section named `plugin`, for what needs an Options of a table of its own.
Options make_options(const std::string& name, const OptionSpec* specs, std::size_t spec_count,
                     const OptionTexts& options);

}  // namespace apus::testing
