// `apus config`: what a conf file says, section by section, with [DEFAULT] and names filled in.
#include <apus/text.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <set>

#include "framework/conf/interpolation.h"
#include "framework/conf/paste.h"
#include "servers/apus/operators/init_servers.h"
#include "servers/apus/operators/operators.h"

namespace apus {
namespace {

namespace fs = std::filesystem;

struct ConfigArguments {
  Words words;
  std::string swift_dir = "/etc/swift";
  int number = 0;
  std::string section;
  bool wsgi = false;
};

using Items = std::vector<std::pair<std::string, std::string>>;

void put(Items& items, const std::string& name, const std::string& value) {
  const auto at = std::find_if(items.begin(), items.end(),
                               [&](const auto& item) { return item.first == name; });
  if (at != items.end()) {
    at->second = value;
  } else {
    items.emplace_back(name, value);
  }
}

void print_section(const std::string& name, const Items& items) {
  std::cout << "[" << name << "]\n";
  for (const auto& [option, value] : items) std::cout << option << " = " << value << "\n";
  std::cout << "\n";
}

void stop_at(const std::vector<ConfProblem>& problems) {
  for (const ConfProblem& problem : problems) {
    if (problem.fatal) throw std::runtime_error(problem.text());
  }
}

// Each section as ConfigParser gives it: [DEFAULT]'s options first.
void print_plain(const ConfFile& file, const std::string& wanted) {
  std::vector<ConfProblem> problems;
  Interpolation values(file, problems);
  const ConfSection* defaults = file.find("DEFAULT");
  for (const ConfSection& section : file.sections) {
    if (&section == defaults || (!wanted.empty() && section.name != wanted)) continue;
    Items items;
    for (const ConfSection* part : {defaults, &section}) {
      if (part == nullptr) continue;
      for (const ConfOption& option : part->options)
        put(items, lower(option.name), values.expand(&section, option));
    }
    stop_at(problems);
    print_section(section.name, items);
  }
}

// The log_name that all stages get from the app is no line of theirs.
void put_all(Items& items, const Options::Map& options) {
  for (const auto& [name, value] : options) {
    if (name != "log_name" || value.origin.line != 0) put(items, name, value.text);
  }
}

Items items_of(const PasteStage& stage) {
  Items out = {{"__name__", stage.name}};
  put_all(out, stage.globals);
  put_all(out, stage.locals);
  return out;
}

// Each stage as Paste Deploy gives it to the filter or app.
void print_wsgi(const ConfFile& file, const std::string& wanted) {
  std::vector<ConfProblem> problems;
  const PasteConf conf = resolve_paste(file, problems);
  stop_at(problems);
  std::vector<std::pair<std::string, Items>> sections;
  const bool composite = !conf.app.routes.empty();
  if (composite || !conf.app.filters.empty() || file.find("pipeline:main") != nullptr) {
    Items whole = {{"__name__", "main"}};
    put_all(whole, conf.app.globals);
    std::string pipeline;
    for (const PasteStage& stage : conf.app.filters) pipeline += stage.plugin + " ";
    if (!composite) put(whole, "pipeline", pipeline + conf.app.app.plugin);
    sections.emplace_back(composite ? "composite:main" : "pipeline:main", whole);
  }
  if (!composite) {
    for (const PasteStage& stage : conf.app.filters)
      sections.emplace_back(stage.section, items_of(stage));
    sections.emplace_back("application:" + conf.app.app.name, items_of(conf.app.app));
  }
  std::set<std::string> printed;  // a filter may stand in a pipeline twice
  for (const auto& [name, items] : sections) {
    if ((wanted.empty() || name == wanted) && printed.insert(name).second)
      print_section(name, items);
  }
}

// "proxy", "object-server", "container-updater", "object-server.2".
std::vector<std::string> confs_of(const ConfigArguments& arguments, const std::string& word) {
  const SwiftServer server = parse_server(word);
  auto found = numbered_conf(find_confs(server, arguments.swift_dir), arguments.number);
  if (found.empty()) tell_no_conf(server, arguments.number);
  return found;
}

int config(const ConfigArguments& arguments) {
  const std::vector<std::string> words = arguments.words.given();
  if (words.empty())
    throw std::runtime_error("SERVER is missing: expected a kind of server, or a conf file");
  std::vector<std::string> paths;
  for (const std::string& word : words) {
    if (fs::exists(word)) {
      paths.push_back(word);
    } else {
      const auto found = confs_of(arguments, word);
      paths.insert(paths.end(), found.begin(), found.end());
    }
  }
  for (const std::string& path : paths) {
    std::cout << "# " << path << "\n";
    std::vector<ConfProblem> problems;
    const ConfFile file = read_conf(path, problems);
    stop_at(problems);
    (arguments.wsgi ? print_wsgi : print_plain)(file, arguments.section);
    if (!arguments.wsgi && arguments.section.empty())
      std::cout << "# log_name = None\n# __file__ = " << path << "\n";
    std::cout << "\n";
  }
  return 0;
}

}  // namespace

Command add_config(CLI::App& apus) {
  auto arguments = std::make_shared<ConfigArguments>();
  CLI::App* parser = apus.add_subcommand(
      "config",
      "what a conf file says, with [DEFAULT] and %(names)s filled in; `apus check` tells "
      "what it means");
  arguments->words.declare(*parser, {{"SERVER", "as proxy or object-server, or a conf file"},
                                     {"SERVER_2", "another"},
                                     {"SERVER_3", ""},
                                     {"SERVER_4", ""},
                                     {"SERVER_5", ""},
                                     {"SERVER_6", ""}});
  parser->add_option("-c,--config-num", arguments->number, "only the Nth conf of the server");
  parser->add_option("-s,--section", arguments->section, "only this section");
  parser->add_flag("-w,--wsgi", arguments->wsgi, "the pipeline's sections, as filters get them");
  return {parser, [arguments] { return config(*arguments); }};
}

}  // namespace apus
