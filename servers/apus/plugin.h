// The parts of `apus plugin`.
#pragma once

#include "servers/apus/commands.h"

namespace apus {

Command add_plugin_new(CLI::App& plugin);
Command add_plugin_inspect(CLI::App& plugin);

}  // namespace apus
