// `apus check`: what a conf means, without serving it.
#include <iostream>
#include <memory>
#include <set>

#include "framework/conf/swift_conf_reader.h"
#include "framework/pipeline/server_plan.h"
#include "servers/apus/commands.h"
#include "servers/apus/explain.h"
#include "servers/apus/sample.h"
#include "servers/apus/serve.h"

namespace apus {
namespace {

namespace fs = std::filesystem;

struct CheckArguments {
  std::vector<std::string> confs;
  std::string sample;
  std::string write;
  bool quiet = false;
};

// swift.conf is part of what a server needs; where it lies elsewhere, that is told and no error.
void check_swift_conf(const ServerPlan& plan, std::set<std::string>& seen,
                      std::vector<ConfProblem>& problems) {
  const fs::path folder = plan.options.text("swift_dir");
  if (!seen.insert(folder.string()).second) return;
  std::error_code error;
  if (fs::exists(folder / "swift.conf", error)) {
    read_swift_conf(folder, problems);
  } else {
    ConfProblem missing;
    missing.fatal = false;
    missing.origin.file = (folder / "swift.conf").string();
    missing.message = "is not there; a server does not start without it";
    problems.push_back(std::move(missing));
  }
}

int check(const CheckArguments& arguments) {
  if (!arguments.sample.empty()) {
    std::cout << sample_conf(arguments.sample);
    return 0;
  }
  if (!arguments.write.empty()) {
    write_samples(arguments.write);
    return 0;
  }
  if (arguments.confs.empty())
    throw std::invalid_argument("CONF is required: a conf file, or a folder of them");
  std::vector<ConfProblem> problems;
  std::set<std::string> folders;
  for (const std::string& conf : arguments.confs) {
    for (const fs::path& path : conf_paths(conf)) {
      if (path.filename() == "swift.conf") {
        read_swift_conf(path.parent_path(), problems);
        continue;
      }
      const ServerPlan plan = plan_server(path, problems);
      check_swift_conf(plan, folders, problems);
      if (!arguments.quiet) std::cout << explain(plan) << "\n";
    }
  }
  std::cout.flush();
  tell(problems);
  return any_fatal(problems) ? 1 : 0;
}

}  // namespace

Command add_check(CLI::App& apus) {
  auto arguments = std::make_shared<CheckArguments>();
  CLI::App* parser = apus.add_subcommand(
      "check", "show what confs mean and what is wrong with them; status 1 when they cannot serve");
  parser->add_option("CONF", arguments->confs, "conf files, or a folder of them");
  parser->add_option(
      "--sample", arguments->sample,
      "print a sample conf instead, every option with its default: " + sample_names());
  parser->add_option("--write-samples", arguments->write,
                     "write all samples into etc/ and doc/ below this folder");
  parser->add_flag("--quiet", arguments->quiet, "only what is wrong");
  return {parser, [arguments] { return check(*arguments); }};
}

}  // namespace apus
