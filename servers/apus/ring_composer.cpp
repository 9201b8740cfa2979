// `apus ring composer`: one ring of several, each with its own regions.
#include <filesystem>
#include <iostream>

#include "framework/ring/builder_file.h"
#include "framework/ring/composite.h"
#include "servers/apus/ring_options.h"
#include "servers/apus/ring_session.h"

namespace apus {

int compose_ring(const std::string& program, const std::vector<std::string>& words) {
  std::string file;
  std::string command;
  std::vector<std::string> builders;
  std::string output;
  bool force = false;
  CLI::App options("Makes one ring of several builders, which share no region and no device.",
                   program);
  options.add_option("FILE", file, "the composite builder")->required();
  options.add_option("COMMAND", command, "show, or compose BUILDER BUILDER... --output RING")
      ->required();
  options.add_option("BUILDER", builders, "the components, in order; those on record if none");
  options.add_option("--output", output, "the ring file to write");
  options.add_flag("--force", force, "take components that the composite did not have");
  if (!parse_ring_options(options, words)) return kRingDone;
  if (command != "show" && command != "compose")
    throw RingArgumentError("'" + command + "': expected show, compose");
  std::error_code error;
  CompositeState state;
  if (command == "show" || std::filesystem::exists(file, error)) state = read_composite(file);
  if (command == "show") {
    std::cout << composite_text(state);
    return kRingDone;
  }
  if (output.empty()) throw RingArgumentError("--output is missing: expected a ring file's name");
  if (builders.empty()) {
    for (const RingComponent& component : state.components) builders.push_back(component.file);
  }
  std::vector<BuilderState> components;
  components.reserve(builders.size());
  for (const std::string& builder : builders) components.push_back(read_builder(builder));
  update_composite(state, components, builders, force);
  write_ring(compose_rings(components), output);
  write_composite(state, file);
  return kRingDone;
}

}  // namespace apus
