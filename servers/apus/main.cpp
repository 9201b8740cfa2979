// The one executable: `apus COMMAND ...`.
#include <CLI/CLI.hpp>
#include <iostream>

int main(int argc, char** argv) {
  CLI::App app("Apus: an object store that speaks OpenStack Swift", "apus");
  app.require_subcommand(1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    std::cerr << "apus: " << error.what() << "\n";
    return 2;
  }
  return 0;
}
