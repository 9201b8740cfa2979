// `apus manage-shard-ranges`: the shard ranges of a container's database, looked at and changed.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <span>

#include "framework/conf/paste.h"
#include "servers/apus/operators/database_file.h"
#include "servers/apus/operators/operators.h"
#include "servers/apus/operators/shard_tool.h"

namespace apus {
namespace {

constexpr const char* kSection = "container-sharder";

using Given = std::map<std::string, std::optional<std::int64_t>, std::less<>>;

struct CommandLine {
  ShardToolArguments arguments;
  Given sizes;  ///< options of kShardingLimits
  std::int64_t replace_timeout = 600;
  std::int64_t enable_timeout = 300;
};

struct ShardCommand {
  const char* name;
  const char* help;
  int (ShardTool::*run)() const;  ///< null: `analyze`
};

constexpr ShardCommand kCommands[] = {
    {"find", "bounds of new shards, printed and not stored", &ShardTool::find},
    {"delete", "drops all shard ranges", &ShardTool::remove},
    {"show", "the shard ranges", &ShardTool::show},
    {"info", "how far the container is sharded", &ShardTool::info},
    {"replace", "new shard ranges from a file that `find` made, instead of all there are",
     &ShardTool::replace},
    {"find_and_replace", "find and replace in one", &ShardTool::find_and_replace},
    {"enable", "lets sharding begin", &ShardTool::enable},
    {"compact", "lets small shards go into their neighbors", &ShardTool::compact},
    {"repair", "lets overlapping shards go into one sequence; fills gaps with --gaps",
     &ShardTool::repair},
    {"analyze", "what is wrong with shard ranges in a file of JSON", nullptr},
};

void add_size(CLI::App& parser, CommandLine& said, const char* flags, const char* option,
              const char* help) {
  parser.add_option(flags, said.sizes[option], help)->check(CLI::PositiveNumber);
}

void add_find(CLI::App& parser, CommandLine& said) {
  add_size(parser, said, "rows_per_shard", "rows_per_shard", "objects of a new shard");
  add_size(parser, said, "--minimum-shard-size", "minimum_shard_size",
           "a last shard of fewer objects becomes part of the one before");
}

void add_replace(CLI::App& parser, CommandLine& said) {
  parser.add_option("--shards_account_prefix", said.arguments.prefix,
                    "start of the names of accounts of shards");
  parser.add_option("--replace-timeout", said.replace_timeout,
                    "seconds to wait for the database's lock");
  parser.add_flag("-f,--force", said.arguments.force, "drop what there is, and do not ask");
  parser.add_flag("--enable", said.arguments.enable, "let sharding begin then");
}

void add_enable(CLI::App& parser, CommandLine& said) {
  parser.add_option("--enable-timeout", said.enable_timeout,
                    "seconds to wait for the database's lock");
}

void add_prompt(CLI::App& parser, CommandLine& said) {
  auto* yes = parser.add_flag("-y,--yes", said.arguments.yes, "change, and do not ask");
  parser.add_flag("-n,--dry-run", said.arguments.dry_run, "change nothing")->excludes(yes);
}

void add_max_expanding(CLI::App& parser, CommandLine& said) {
  add_size(parser, said, "--max-expanding", "max_expanding",
           "shards that take in others; any number when not said");
}

void add_words(CLI::App& parser, const std::string& name, CommandLine& said) {
  ShardToolArguments& arguments = said.arguments;
  if (name == "find" || name == "find_and_replace") add_find(parser, said);
  if (name == "replace") parser.add_option("input_file", arguments.input, "or -")->required();
  if (name == "replace" || name == "find_and_replace" || name == "enable")
    add_replace(parser, said);
  if (name == "find_and_replace" || name == "enable") add_enable(parser, said);
  if (name == "delete") parser.add_flag("-f,--force", arguments.force, "do not ask");
  if (name == "show") {
    parser.add_flag("-d,--include_deleted", arguments.include_deleted, "deleted ones too");
    parser.add_flag("-b,--brief", arguments.brief, "bounds alone");
    parser.add_option("--includes", arguments.includes, "only the one that holds this name");
  }
  if (name == "compact" || name == "repair") {
    add_prompt(parser, said);
    add_max_expanding(parser, said);
  }
  if (name == "compact") {
    add_size(parser, said, "--shrink-threshold", "shrink_threshold",
             "rows below which a shard may go");
    add_size(parser, said, "--expansion-limit", "expansion_limit",
             "rows that a shard may have in the end");
    add_size(parser, said, "--max-shrinking", "max_shrinking",
             "shards that go into one; listings may lack names for a while when it is more than 1");
  }
  if (name == "repair") parser.add_flag("--gaps", arguments.gaps, "fill gaps");
}

// What the conf says, and over it what the command line says. Nothing, and told, when the conf is
// wrong.
std::optional<ShardingLimits> limits_of(const CommandLine& said) {
  Options::Map values;
  std::vector<ConfProblem> problems;
  if (!said.arguments.conf.empty()) {
    const ConfFile file = read_conf(said.arguments.conf, problems);
    values = resolve_daemon(file, kSection, problems);
  }
  for (const auto& [name, value] : said.sizes) {
    if (value) values[name] = {std::to_string(*value), {"the command line", 0, ""}};
  }
  const Options options(kSection, kShardingLimits.data(), kShardingLimits.size(), values);
  for (const Options::Problem& one : options.check())
    problems.push_back({one.fatal, one.origin, one.option, one.message});
  bool good = true;
  for (const ConfProblem& problem : problems) {
    if (!problem.fatal) continue;
    std::cerr << "Error loading config: " << problem.text() << "\n";
    good = false;
  }
  return good ? std::optional(ShardingLimits(options)) : std::nullopt;
}

int run_on_database(const CommandLine& said, const ShardCommand& command,
                    const ShardingLimits& limits) {
  const ShardToolArguments& arguments = said.arguments;
  const std::string file = std::filesystem::weakly_canonical(arguments.path).string();
  ToolServices services{SwiftConf(), "WARNING"};
  const DatabaseFile source = database_file(file);
  ContainerBroker broker(services.get(), source.place, "", "", source.file);
  Patience patience;
  patience.lock = std::chrono::seconds(std::max(said.replace_timeout, said.enable_timeout));
  patience.leave_pending = !arguments.force_commits;
  broker.set_patience(patience);
  try {
    if (!broker.info()) throw std::runtime_error("there is no such database");
  } catch (const std::exception& error) {
    std::cerr << "Error opening container DB " << arguments.path << ": " << error.what() << "\n";
    return kShardToolError;
  }
  std::cerr << "Loaded db broker for " << broker.path() << "\n";
  const ShardTool tool{arguments, limits, broker, services.clock};
  return (tool.*command.run)();
}

int run_command(const CommandLine& said, const ShardCommand& command) {
  if (!said.arguments.conf.empty() && !std::filesystem::exists(said.arguments.conf)) {
    std::cerr << "Error opening config file " << said.arguments.conf << ": no such file\n";
    return kShardToolError;
  }
  const auto limits = limits_of(said);
  if (!limits) return kShardToolBadArguments;
  const std::string name = command.name;
  if (name == "find" || name == "find_and_replace") {
    if (const std::string wrong = limits->wrong_sizes(); !wrong.empty()) {
      std::cerr << "Invalid config: " << wrong << "\n";
      return kShardToolBadArguments;
    }
  }
  return command.run == nullptr ? analyze_shard_ranges(said.arguments)
                                : run_on_database(said, command, *limits);
}

}  // namespace

Command add_manage_shard_ranges(CLI::App& apus) {
  auto said = std::make_shared<CommandLine>();
  CLI::App* parser =
      apus.add_subcommand("manage-shard-ranges", "the shard ranges of a container's database");
  ShardToolArguments& arguments = said->arguments;
  parser
      ->add_option("path_to_file", arguments.path, "a container's .db; for analyze a file of JSON")
      ->required();
  parser->add_option("--config", arguments.conf, "a conf with a section [container-sharder]");
  parser->add_flag("-v,--verbose", arguments.verbose, "show more");
  parser->add_flag("--force-commits", arguments.force_commits, "merge pending rows first");
  parser->require_subcommand(0, 1);
  for (const ShardCommand& command : kCommands)
    add_words(*parser->add_subcommand(command.name, command.help), command.name, *said);
  return {parser, [said, parser] {
            for (const ShardCommand& command : kCommands) {
              if (parser->got_subcommand(command.name)) return run_command(*said, command);
            }
            std::cout << parser->help();
            std::cerr << "\nA sub-command is required.\n";
            return kShardToolBadArguments;
          }};
}

}  // namespace apus
