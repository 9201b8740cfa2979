// All options of this build as one page.
#pragma once

#include <apus/options.h>

#include <string>
#include <vector>

#include "framework/plugin/loader.h"

namespace apus {

/// doc/options.md: a table for the servers and one for each plugin of this build.
std::string option_page();

/// " VALUE" as it stands behind "name ="; empty when there is no default. One line.
std::string option_default(const OptionSpec& spec);

/// Names of the plugins of that kind beside this executable, sorted.
std::vector<std::string> plugins_of_kind(const PluginLoader& loader, PluginKind kind);

}  // namespace apus
