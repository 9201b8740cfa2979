// `apus check`: what a conf means, without serving it.
#include <iostream>
#include <memory>
#include <set>

#include "framework/conf/swift_conf_reader.h"
#include "framework/log/line_logger.h"
#include "framework/pipeline/server_plan.h"
#include "framework/ring/ring_file.h"
#include "servers/apus/background.h"
#include "servers/apus/commands.h"
#include "servers/apus/explain.h"
#include "servers/apus/own_confs.h"
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

void tell_of(const fs::path& file, bool fatal, const std::string& message,
             std::vector<ConfProblem>& problems) {
  ConfProblem problem;
  problem.fatal = fatal;
  problem.origin.file = file.string();
  problem.message = message;
  problems.push_back(std::move(problem));
}

// A ring that is there must be one. One that is not may be on other machines alone.
void check_rings(const fs::path& folder, const SwiftConf& conf,
                 std::vector<ConfProblem>& problems) {
  std::vector<std::string> names = {"account", "container"};
  for (const StoragePolicy& policy : conf.policies) names.push_back(policy.directory("object"));
  for (const std::string& name : names) {
    const fs::path path = folder / (name + ".ring.gz");
    std::error_code error;
    if (!fs::exists(path, error)) {
      tell_of(path, false, "is not there; a server that needs this ring does not start without it",
              problems);
      continue;
    }
    try {
      read_ring(path.string());
    } catch (const std::exception& fault) {
      const std::string what = fault.what();
      const std::string named = path.string() + ": ";
      tell_of(path, true, what.starts_with(named) ? what.substr(named.size()) : what, problems);
    }
  }
}

// The words of log_* are judged where the log is opened, which a check does not do.
void check_log(const ServerPlan& plan, std::vector<ConfProblem>& problems) {
  LogConf conf = log_conf_of(plan.options, plan.name());
  if (conf.to == "syslog" || conf.to.starts_with("file:")) conf.to = "stderr";
  try {
    make_logger(conf);
  } catch (const std::runtime_error& fault) {
    tell_of(plan.path, true, fault.what(), problems);
  }
}

// swift.conf is part of what a server needs; where it lies elsewhere, that is told and no error.
void check_swift_conf(const ServerPlan& plan, std::set<std::string>& seen,
                      std::vector<ConfProblem>& problems) {
  const fs::path folder = plan.options.text("swift_dir");
  if (!seen.insert(folder.string()).second) return;
  std::error_code error;
  if (fs::exists(folder / "swift.conf", error)) {
    check_rings(folder, read_swift_conf(folder, problems), problems);
  } else {
    tell_of(folder / "swift.conf", false, "is not there; a server does not start without it",
            problems);
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
      if (const OwnConf* own = own_conf(path); own != nullptr && !own->asks) {
        const Background daemons({path}, problems);
        continue;
      }
      const ServerPlan plan = plan_server(path, problems);
      if (serves_nobody(path)) {  // and so needs no port
        std::erase_if(problems, [&](const ConfProblem& one) {
          return one.key == "bind_port" && !plan.options.find(one.key);
        });
      }
      if (plan.conf.file.sections.empty()) continue;  // not there, which is told
      check_log(plan, problems);
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
