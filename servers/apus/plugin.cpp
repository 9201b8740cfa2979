// `apus plugin`: for those who write plugins.
#include "servers/apus/plugin.h"

namespace apus {

Command add_plugin(CLI::App& apus) {
  CLI::App* parser = apus.add_subcommand("plugin", "begin a plugin, or look at one");
  parser->require_subcommand(1);
  const Command make = add_plugin_new(*parser);
  const Command inspect = add_plugin_inspect(*parser);
  return {parser, [make, inspect] { return *make.parser ? make.run() : inspect.run(); }};
}

}  // namespace apus
