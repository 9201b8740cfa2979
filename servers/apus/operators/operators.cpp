#include "servers/apus/operators/operators.h"

#include <filesystem>

namespace apus {
namespace {

struct Tool {
  const char* name;
  Command (*add)(CLI::App& apus);
};

constexpr Tool kTools[] = {
    {"get-nodes", add_get_nodes},
    {"object-info", add_object_info},
    {"account-info", add_account_info},
    {"container-info", add_container_info},
    {"recon", add_recon},
    {"config", add_config},
    {"form-signature", add_form_signature},
    {"init", add_init},
    {"oldies", add_oldies},
    {"orphans", add_orphans},
    {"dispersion-populate", add_dispersion_populate},
    {"dispersion-report", add_dispersion_report},
    {"account-audit", add_account_audit},
    {"container-deleter", add_container_deleter},
    {"object-relinker", add_object_relinker},
    {"manage-shard-ranges", add_manage_shard_ranges},
};

}  // namespace

std::vector<Command> add_operators(CLI::App& apus) {
  std::vector<Command> out;
  for (const Tool& tool : kTools) out.push_back(tool.add(apus));
  return out;
}

std::vector<std::string> operators_words(std::vector<std::string> command_line) {
  if (command_line.empty()) return command_line;
  const std::string called = std::filesystem::path(command_line.front()).filename().string();
  for (const Tool& tool : kTools) {
    if (called != std::string("swift-") + tool.name) continue;
    command_line.insert(command_line.begin() + 1, tool.name);
    break;
  }
  return command_line;
}

void Words::declare(CLI::App& parser, std::initializer_list<Name> names) {
  std::size_t at = 0;
  for (const Name& name : names) parser.add_option(name.name, words_.at(at++), name.help);
}

std::vector<std::string> Words::given() const {
  std::vector<std::string> out;
  for (const auto& word : words_) {
    if (word) out.push_back(*word);
  }
  return out;
}

}  // namespace apus
