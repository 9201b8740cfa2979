// `apus serve`: the servers of some confs in one process, below a supervisor.
#include <iostream>
#include <memory>

#include "servers/apus/commands.h"
#include "servers/apus/serve.h"
#include "servers/apus/served.h"
#include "servers/apus/supervisor.h"

namespace apus {
namespace {

struct ServeArguments {
  std::vector<std::string> confs;
  std::string pid_file;
  bool test = false;
};

int run_serve(const ServeArguments& arguments, const std::vector<std::string>& command_line) {
  SuperviseRequest request;
  request.command_line = command_line;
  for (const std::string& conf : arguments.confs) {
    for (const auto& path : conf_paths(conf))
      request.confs.push_back(std::filesystem::absolute(path).lexically_normal());
  }
  if (arguments.test) return test_confs(request.confs);
  if (!arguments.pid_file.empty())
    request.pid_file = std::filesystem::absolute(arguments.pid_file).string();
  return supervise(request);
}

}  // namespace

int test_confs(const std::vector<std::filesystem::path>& confs) {
  std::vector<ConfProblem> problems;
  const Served served(confs, problems);
  tell(problems);
  return any_fatal(problems) ? 1 : 0;
}

Command add_serve(CLI::App& apus, const std::vector<std::string>& command_line) {
  auto arguments = std::make_shared<ServeArguments>();
  CLI::App* parser = apus.add_subcommand(
      "serve", "serve what the confs describe; TERM ends, HUP lets requests finish, USR1 reloads");
  parser->add_option("CONF", arguments->confs, "conf files, or a folder of them")->required();
  parser->add_option("--pid-file", arguments->pid_file, "file for this process's id while it runs");
  parser->add_flag("--test-config", arguments->test, "only check the confs: status 0 or 1");
  return {parser, [arguments, command_line] { return run_serve(*arguments, command_line); }};
}

}  // namespace apus
