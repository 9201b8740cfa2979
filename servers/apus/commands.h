// The subcommands of `apus`, one file each.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace apus {

/// One subcommand: its part of the command line, and what runs it once that is parsed. `run` gives
/// the exit status; it throws std::invalid_argument for arguments that do not fit (status 2), and
/// any other std::exception for what went wrong (status 1).
struct Command {
  CLI::App* parser;
  std::function<int()> run;
};

Command add_up(CLI::App& apus);
/// `command_line` is run again to reload.
Command add_serve(CLI::App& apus, const std::vector<std::string>& command_line);
Command add_check(CLI::App& apus);
Command add_plugin(CLI::App& apus);
Command add_ring(CLI::App& apus);

/// `--test-config`: tells what is wrong with the confs; status 0 or 1.
int test_confs(const std::vector<std::filesystem::path>& confs);

/// One line for a person whose command line does not fit: which argument, and what would.
std::string wrong_arguments(const CLI::App& apus, const CLI::ParseError& error);

}  // namespace apus
