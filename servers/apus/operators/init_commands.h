// The commands of `apus init`: Swift's.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "servers/apus/operators/init_manager.h"

namespace apus {

/// A command's name and what it does, in one line.
using InitCommand = std::pair<std::string, std::string>;
/// In order of the names.
const std::vector<InitCommand>& init_commands();

/// Runs a command, given as Swift takes it ("NO_WAIT" is "no-wait"), for the servers of `words`.
/// True when all is as the command wants it. Servers that are not installed are left out. Throws
/// std::runtime_error for an unknown command, and when there is no server left.
bool run_init(const std::string& command, const std::vector<std::string>& words,
              const InitOptions& options);

}  // namespace apus
