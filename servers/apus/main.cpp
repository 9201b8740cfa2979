// The one executable: `apus COMMAND ...`.
#include <algorithm>
#include <iostream>

#include "servers/apus/commands.h"
#include "servers/apus/daemon.h"
#include "servers/apus/operators/operators.h"
#include "servers/apus/ring_command.h"
#include "servers/apus/serve.h"
#include "servers/apus/swift_names.h"

namespace apus {
namespace {

int run(int argc, char** argv) {
  const std::vector<std::string> command_line = operators_words({argv, argv + argc});
  if (const auto status = run_as_swift(command_line)) return *status;
  if (const auto status = run_as_ring_tool(command_line)) return *status;
  if (const auto status = run_as_daemon(command_line)) return *status;
  CLI::App app("Apus: an object store that speaks OpenStack Swift", "apus");
  app.require_subcommand(1);
  app.footer(
      "`apus DAEMON CONF [once]` runs a daemon, as container-updater, with its section of CONF.");
  std::vector<Command> commands = {add_up(app), add_serve(app, command_line), add_check(app),
                                   add_plugin(app), add_ring(app)};
  std::ranges::move(add_operators(app), std::back_inserter(commands));
  try {
    app.parse(std::vector<std::string>(command_line.rbegin(), command_line.rend() - 1));
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    std::cerr << wrong_arguments(app, error) << "\n";
    return 2;
  }
  for (const Command& command : commands) {
    if (!*command.parser) continue;
    try {
      return command.run();
    } catch (const std::invalid_argument& error) {
      std::cerr << "apus " << command.parser->get_name() << ": " << error.what() << "\n";
      return 2;
    } catch (const std::exception& error) {
      std::cerr << "apus " << command.parser->get_name() << ": " << error.what() << "\n";
      return 1;
    }
  }
  return 2;
}

}  // namespace
}  // namespace apus

int main(int argc, char** argv) {
  apus::block_stop_signals();
  try {
    return apus::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "apus: " << error.what() << "\n";
    return 1;
  }
}
