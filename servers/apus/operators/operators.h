// The operators' tools: Swift's, each a command of `apus` and a name of Swift's.
#pragma once

#include <array>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "servers/apus/commands.h"

namespace apus {

/// Adds every tool to `apus`.
std::vector<Command> add_operators(CLI::App& apus);

/// "swift-get-nodes WORDS" as "apus get-nodes WORDS", for each tool; any other command line as it
/// is.
std::vector<std::string> operators_words(std::vector<std::string> command_line);

/// The words of a tool's command line that are no options, in order. Each counts as it is: a name
/// in brackets is no list.
class Words {
 public:
  static constexpr std::size_t kMost = 6;
  struct Name {
    const char* name;
    const char* help;
  };

  /// At most kMost names. None is required: what is missing is the tool's to tell.
  void declare(CLI::App& parser, std::initializer_list<Name> names);
  [[nodiscard]] std::vector<std::string> given() const;

 private:
  std::array<std::optional<std::string>, kMost> words_;
};

Command add_get_nodes(CLI::App& apus);
Command add_object_info(CLI::App& apus);
Command add_account_info(CLI::App& apus);
Command add_container_info(CLI::App& apus);
Command add_recon(CLI::App& apus);
Command add_config(CLI::App& apus);
Command add_form_signature(CLI::App& apus);
Command add_init(CLI::App& apus);
Command add_oldies(CLI::App& apus);
Command add_orphans(CLI::App& apus);
Command add_dispersion_populate(CLI::App& apus);
Command add_dispersion_report(CLI::App& apus);
Command add_account_audit(CLI::App& apus);
Command add_container_deleter(CLI::App& apus);
Command add_object_relinker(CLI::App& apus);
Command add_manage_shard_ranges(CLI::App& apus);

}  // namespace apus
