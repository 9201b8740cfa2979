// `apus plugin inspect`: a plugin's stamp, read without running any of its code.
#include <iostream>
#include <memory>

#include "framework/plugin/stamp.h"
#include "servers/apus/plugin.h"

namespace apus {
namespace {

int inspect(const std::string& path) {
  const PluginStamp stamp = read_stamp(path);
  const bool trusted = (stamp.flags & kPluginTrusted) != 0;
  std::cout << "name:     " << stamp.name << "\nversion:  " << stamp.version
            << "\nkind:     " << kind_name(static_cast<PluginKind>(stamp.kind))
            << (trusted ? " (back end)" : "") << "\nABI:      " << stamp.abi
            << "\nbuild:    " << stamp.build << std::endl;
  check_build(path, stamp);
  std::cout << "This Apus can load it." << std::endl;
  return 0;
}

}  // namespace

Command add_plugin_inspect(CLI::App& plugin) {
  const auto path = std::make_shared<std::string>();
  CLI::App* parser = plugin.add_subcommand(
      "inspect",
      "what a shared object says of itself, none of its code run; status 1 when this "
      "Apus would refuse it");
  parser->add_option("FILE", *path, "the .so")->required();
  return {parser, [path] { return inspect(*path); }};
}

}  // namespace apus
