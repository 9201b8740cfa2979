#include <algorithm>

#include "framework/conf/nearest_name.h"
#include "servers/apus/commands.h"
#include "servers/apus/daemon.h"

namespace apus {
namespace {

const CLI::App& deepest(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : deepest(*parsed.back());
}

std::vector<std::string> fitting(const CLI::App& app) {
  std::vector<std::string> out;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_name().empty()) out.push_back(command->get_name());
  }
  for (const CLI::Option* option : app.get_options()) out.push_back(option->get_name());
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

// An option rather than its value.
std::string unknown_word(const CLI::App& apus) {
  const std::vector<std::string> words = apus.remaining(true);
  const auto option = std::find_if(words.begin(), words.end(),
                                   [](const std::string& word) { return word.starts_with('-'); });
  if (option != words.end()) return *option;
  return words.empty() ? "" : words.front();
}

std::string whole_name(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return (parent != nullptr ? whole_name(*parent) + " " : "") + app.get_name();
}

}  // namespace

std::string wrong_arguments(const CLI::App& apus, const CLI::ParseError& error) {
  const CLI::App& app = deepest(apus);
  std::string text = error.what();
  const std::string word = unknown_word(apus);
  const bool unknown = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  const bool no_command = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr &&
                          !app.get_subcommands([](const CLI::App*) { return true; }).empty();
  if (!word.empty() && (unknown || no_command)) {
    std::vector<std::string> known = fitting(app);
    if (app.get_parent() == nullptr) {
      const std::vector<std::string> daemons = daemon_names();
      known.insert(known.end(), daemons.begin(), daemons.end());
    }
    const std::string near = nearest_name(word, known);
    text =
        "'" + word + "' is not known here" + (near.empty() ? "" : "; did you mean " + near + "?");
  } else if (no_command) {
    text = "a command is missing";
  }
  std::replace(text.begin(), text.end(), '\n', ' ');
  return whole_name(app) + ": " + text + "; expected " + joined(fitting(app));
}

}  // namespace apus
