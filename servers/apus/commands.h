// The subcommands of `apus`, one file each.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <vector>

namespace apus {

/// One subcommand: its part of the command line, and what runs it once that is parsed. `run` gives
/// the exit status; it throws std::invalid_argument for arguments that do not fit (status 2), and
/// any other std::exception for what went wrong (status 1).
struct Command {
  CLI::App* parser;
  std::function<int()> run;
};

Command add_plugin(CLI::App& apus);

}  // namespace apus
