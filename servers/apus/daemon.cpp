#include "servers/apus/daemon.h"

#include <apus/plugin.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <map>
#include <stop_token>
#include <thread>

#include "framework/backend/pass_progress.h"
#include "framework/conf/paste.h"
#include "framework/conf/server_options.h"
#include "framework/host/process_host.h"
#include "framework/plugin/loader.h"
#include "servers/apus/allocator.h"
#include "servers/apus/priorities.h"
#include "servers/apus/process.h"
#include "servers/apus/serve.h"

namespace apus {
namespace {

// What a daemon has to end its step: whoever stopped it waits for fifteen seconds.
constexpr std::chrono::seconds kPatience{10};

// Turns SIGTERM and SIGINT, which every thread has blocked, into a stop request. A daemon that
// waits for longer than that, for a server that says nothing, ends where it is: it may die at any
// moment anyhow.
class StopSignals {
 public:
  StopSignals() {
    thread_ = std::jthread([this](const std::stop_token& done) { wait(done); });
  }
  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }

 private:
  void wait(const std::stop_token& done) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    constexpr timespec kPiece{0, 200'000'000};
    while (!done.stop_requested()) {
      if (::sigtimedwait(&set, nullptr, &kPiece) <= 0) continue;
      stop_.request_stop();
      break;
    }
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!done.stop_requested()) {
      if (std::chrono::steady_clock::now() >= end) ::_exit(1);
      ::nanosleep(&kPiece, nullptr);
    }
  }

  std::stop_source stop_;
  std::jthread thread_;
};

// True when nothing forbids a start.
bool may_start(const std::vector<ConfProblem>& problems) {
  bool good = true;
  for (const ConfProblem& problem : problems) {
    if (problem.fatal) std::cerr << "error: " << problem.text() << "\n";
    good = good && !problem.fatal;
  }
  return good;
}

// What the words behind a daemon's name say.
struct DaemonWords {
  std::optional<std::string> conf;
  bool once = false;
  bool verbose = false;
  std::map<std::string, std::string> given;  ///< "devices" to "sda,sdb"
};

// Swift's words that have a value.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kValued = {{
    {"--devices", "-d"},
    {"--partitions", "-p"},
    {"--policies", "-i"},
    {"--zero_byte_fps", "-z"},
    {"--processes", ""},
    {"--process", ""},
}};

DaemonWords parse_words(const std::vector<std::string>& words) {
  DaemonWords out;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "once" || word == "-o" || word == "--once") {
      out.once = true;
    } else if (word == "-v" || word == "--verbose" || word == "verbose") {
      out.verbose = true;
    } else if (word == "--no-auto-shard") {  // Swift's, of its sharder alone
      out.given["auto_shard"] = "no";
    } else if (!word.starts_with('-')) {
      if (!out.conf) out.conf = word;
    }
    const std::size_t equals = word.find('=');
    for (const auto& [name, letter] : kValued) {
      if (equals != std::string::npos && word.substr(0, equals) == name) {
        out.given[std::string(name.substr(2))] = word.substr(equals + 1);
      } else if ((word == name || (!letter.empty() && word == letter)) && i + 1 < words.size()) {
        out.given[std::string(name.substr(2))] = words[++i];
        break;
      }
    }
  }
  return out;
}

bool declares(const Descriptor& plugin, std::string_view name) {
  return std::any_of(plugin.options, plugin.options + plugin.option_count,
                     [&](const OptionSpec& spec) { return spec.name == name; });
}

// A word of the command line stands for the daemon's option of that name, or for "override_NAME"
// where the daemon has that.
void apply(const DaemonWords& words, const Descriptor& plugin, Options::Map& values) {
  for (const auto& [name, value] : words.given) {
    const std::string overriding = "override_" + name;
    const std::string& option = declares(plugin, overriding) ? overriding : name;
    if (declares(plugin, option)) values[option] = {value, {"the command line", 0, ""}};
  }
}

int run(const std::string& name, const DaemonWords& words, bool as_swift) {
  std::vector<ConfProblem> problems;
  const std::filesystem::path conf = *words.conf;
  const ConfFile file = read_conf(conf, problems);
  PluginLoader loader;
  try {
    const Descriptor& plugin = loader.load(name, PluginKind::kDaemon);
    Options::Map values = resolve_daemon(file, name, problems);
    apply(words, plugin, values);
    if (words.verbose) values["log_to"] = {"stderr", {"the command line", 0, ""}};
    const Options options(name, plugin.options, plugin.option_count, std::move(values));
    for (const Options::Problem& one : options.check(server_option_names()))
      problems.push_back({one.fatal, one.origin, one.option, one.message});
    if (!may_start(problems)) return 1;
    tell(take_priorities(options));
    give_memory_back();
    // A daemon that declares `user` means something else by it, and needs the rights it has.
    if (options.all().contains("user") && !declares(plugin, "user"))
      become_user(options.text("user"));
    Cluster cluster(options.find("swift_dir").value_or("/etc/swift"));
    ServerHost host(cluster, options, name);
    const auto daemon = plugin.make_daemon({options, host});
    if (as_swift) leave_terminal();  // as Swift's: whoever kills the group kills it alone
    const StopSignals signals;
    // Who started it waits until nobody writes there any more.
    if (as_swift && !words.once && !words.verbose) release_stdio();
    // Between lines of a log a bar would be in the way.
    if (words.once && !words.verbose && ::isatty(STDERR_FILENO) != 0)
      PassProgress::draw_on_terminal();
    if (words.once) {
      daemon->run_once(signals.token());
    } else {
      daemon->run_forever(signals.token());
    }
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
  return 0;
}

}  // namespace

bool is_daemon(const PluginLoader& loader, const std::string& name) {
  if (name.empty() || name.find('/') != std::string::npos) return false;
  try {
    return loader.has(name) &&
           read_stamp(loader.find(name)).kind == static_cast<std::uint32_t>(PluginKind::kDaemon);
  } catch (const PluginError&) {
    return false;
  }
}

std::vector<std::string> daemon_names() {
  const PluginLoader loader;
  std::vector<std::string> out = loader.names();
  std::erase_if(out, [&](const std::string& name) { return !is_daemon(loader, name); });
  return out;
}

std::optional<int> run_as_daemon(const std::vector<std::string>& command_line) {
  if (command_line.empty()) return std::nullopt;
  std::vector<std::string> words(command_line.begin() + 1, command_line.end());
  const std::string called = std::filesystem::path(command_line.front()).filename().string();
  const bool as_swift = called.starts_with("swift-");
  if (as_swift) words.insert(words.begin(), called.substr(6));
  if (words.empty() || !is_daemon(PluginLoader(), words.front())) return std::nullopt;
  const DaemonWords said = parse_words(words);
  if (said.conf) return run(words.front(), said, as_swift);
  std::cerr << "apus " << words.front() << ": expected CONF [once]\n";
  return 2;
}

}  // namespace apus
