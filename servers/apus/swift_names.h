// Called under a name of Swift's (a link to this executable), behave as that command.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace apus {

/// Nothing when argv[0] is no server's name of Swift's; else serves and gives the exit status.
/// Arguments are Swift's: CONFIG [once] [verbose] [-v|--verbose], and --test-config.
std::optional<int> run_as_swift(const std::vector<std::string>& command_line);

}  // namespace apus
