// `apus init`: starts, stops and looks after servers and daemons.
#include <sys/auxv.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iostream>

#include "servers/apus/operators/init_commands.h"
#include "servers/apus/operators/operators.h"

namespace apus {
namespace {

struct InitArguments {
  std::vector<std::string> words;
  InitOptions options;
};

// Where the name stands by which this program was called: a link, or the program.
std::string called_folder() {
  const auto called = ::getauxval(AT_EXECFN);
  if (called == 0) return "/";
  // NOLINTNEXTLINE(performance-no-int-to-ptr): that is how the kernel hands it over.
  return std::filesystem::absolute(reinterpret_cast<const char*>(called)).parent_path().string();
}

bool is_init_command(const std::string& word) {
  const auto& all = init_commands();
  return std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.first == word; });
}

// A signal ends this tool, as any; what it has started goes on.
void take_signals_as_usual() {
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

int init(InitArguments arguments) {
  std::vector<std::string>& words = arguments.words;
  if (words.size() < 2) throw std::runtime_error("specify server(s) and command");
  if (!is_init_command(words.back()) && is_init_command(words.front()))
    std::rotate(words.begin(), words.begin() + 1, words.end());
  const std::string command = words.back();
  words.pop_back();
  std::cout << std::unitbuf;  // daemons may write there, too
  take_signals_as_usual();
  arguments.options.program_folder = called_folder();
  return run_init(command, words, arguments.options) ? 0 : 1;
}

std::string init_footer() {
  std::string out =
      "SERVER is as object-server or object, container-updater, object-*, object.1 (the conf "
      "object-server/1.conf), main, rest or all.\nCommands:\n";
  for (const auto& [name, help] : init_commands())
    out +=
        std::string(18 - std::min<std::size_t>(18, name.size()), ' ') + name + ": " + help + "\n";
  return out;
}

}  // namespace

Command add_init(CLI::App& apus) {
  auto arguments = std::make_shared<InitArguments>();
  InitOptions& into = arguments->options;
  CLI::App* parser =
      apus.add_subcommand("init", "starts, stops and looks after servers and daemons");
  parser->footer(init_footer());
  parser->add_option("SERVER... COMMAND", arguments->words, "or COMMAND SERVER...");
  parser->add_flag("-v,--verbose", into.verbose, "tell what is removed, and the confs there are");
  parser->add_flag("-w,--no-wait", into.no_wait, "do not wait until servers are up");
  parser->add_flag("-o,--once", into.once, "daemons make one pass");
  parser->add_flag("-n,--no-daemon", into.no_daemon, "start, and stay with them until they end");
  parser->add_flag("-g,--graceful", into.graceful, "stop servers with SIGHUP");
  parser->add_option("-c,--config-num", into.number, "only the Nth conf of a server");
  parser->add_option("-k,--kill-wait", into.kill_wait, "seconds to wait for them to end; 15")
      ->check(CLI::Range(0, 1000000));
  parser->add_option("-r,--run-dir", into.run_dir, "where the pid files lie");
  parser->add_option("-d,--swift-dir", into.swift_dir, "where the confs lie");
  parser->add_flag_callback(
      "--strict", [&into] { into.strict = true; },
      "a server without a conf is an error; so it is where each server is named");
  parser->add_flag_callback(
      "--non-strict", [&into] { into.strict = false; },
      "it is none; so it is for a group, or a name with *");
  parser->add_flag("--kill-after-timeout", into.kill_after_timeout,
                   "kill what has not ended by then, with all that it started");
  return {parser, [arguments] { return init(*arguments); }};
}

}  // namespace apus
