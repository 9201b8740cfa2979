// `apus orphans`: processes that no pid file names.
#include <apus/text.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>

#include "servers/apus/operators/found_processes.h"
#include "servers/apus/operators/operators.h"

namespace apus {
namespace {

namespace fs = std::filesystem;

struct OrphansArguments {
  std::int64_t hours = 24;
  std::string signal;
  bool wide = false;
  std::string run_dir = "/var/run/swift";
};

// The pids in the .pid files of a folder and those below it.
std::set<int> known_pids(const std::string& folder) {
  std::set<int> out;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.ends_with(".pid") && !name.ends_with(".pid.d")) continue;
    std::ifstream in(at->path());
    std::string text;
    std::getline(in, text);
    if (const auto pid = parse_int(text)) out.insert(static_cast<int>(*pid));
  }
  return out;
}

// Passes made once, for which nobody keeps a pid.
bool runs_once(const FoundProcess& one) {
  const std::vector<std::string> words = split_list(one.command_line, ' ');
  return std::find(words.begin(), words.end(), "once") != words.end();
}

// 15, "TERM" or "sigterm"; 0 when there is no such signal.
int signal_of(const std::string& word) {
  if (const auto number = parse_int(word)) return static_cast<int>(*number);
  std::string name = word;
  for (char& letter : name)
    letter = letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
  if (name.starts_with("SIG")) name.erase(0, 3);
  for (int number = 1; number < NSIG; ++number) {
    const char* known = ::sigabbrev_np(number);
    if (known != nullptr && name == known) return number;
  }
  return 0;
}

void send(const std::vector<FoundProcess>& found, const std::string& word) {
  const int number = signal_of(word);
  if (number == 0)
    throw std::runtime_error("Could not translate " + python_repr(word) +
                             " to a signal number; expected one, or a name as TERM");
  std::cout << "Sending processes " << word << " (" << number << ") signal..." << std::flush;
  for (const FoundProcess& one : found) {
    if (::kill(one.pid, number) != 0)
      throw std::system_error(errno, std::generic_category(), "pid " + std::to_string(one.pid));
  }
  std::cout << "Done.\n";
}

int orphans(const OrphansArguments& arguments) {
  const std::set<int> known = known_pids(arguments.run_dir);
  std::vector<FoundProcess> found = find_processes(Interpreters::kOrphans);
  std::erase_if(found, [&](const FoundProcess& one) {
    return known.contains(one.pid) || known.contains(one.parent) || one.pid == ::getpid() ||
           one.hours < arguments.hours || runs_once(one) ||
           one.command_line.find("swift-orphans") != std::string::npos;
  });
  if (found.empty()) return 0;
  print_processes(found, arguments.wide);
  if (!arguments.signal.empty()) send(found, arguments.signal);
  return 0;
}

}  // namespace

Command add_orphans(CLI::App& apus) {
  auto arguments = std::make_shared<OrphansArguments>();
  CLI::App* parser = apus.add_subcommand(
      "orphans", "processes of Swift and Apus that no pid file names; passes made once left out");
  parser->add_option("-a,--age", arguments->hours, "started at least HOURS ago; 24 when not given");
  parser->add_option("-k,--kill", arguments->signal, "send them this signal");
  parser->add_flag("-w,--wide", arguments->wide, "do not cut lines to 80 columns");
  parser->add_option("-r,--run-dir", arguments->run_dir, "where the pid files lie");
  return {parser, [arguments] { return orphans(*arguments); }};
}

}  // namespace apus
