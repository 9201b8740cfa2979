#include "servers/apus/daemon.h"

#include <apus/plugin.h>

#include <csignal>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <stop_token>
#include <thread>

#include "framework/conf/paste.h"
#include "framework/host/process_host.h"
#include "framework/plugin/loader.h"

namespace apus {
namespace {

// Turns SIGTERM and SIGINT, which every thread has blocked, into a stop request.
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
      return;
    }
  }

  std::stop_source stop_;
  std::jthread thread_;
};

// True when nothing forbids a start.
bool tell(const std::vector<ConfProblem>& problems) {
  bool good = true;
  for (const ConfProblem& problem : problems) {
    if (problem.fatal) std::cerr << "error: " << problem.text() << "\n";
    good = good && !problem.fatal;
  }
  return good;
}

int run(const std::string& name, const std::filesystem::path& conf, bool once) {
  std::vector<ConfProblem> problems;
  const ConfFile file = read_conf(conf, problems);
  PluginLoader loader;
  try {
    const Descriptor& plugin = loader.load(name, PluginKind::kDaemon);
    const Options options(name, plugin.options, plugin.option_count,
                          resolve_daemon(file, name, problems));
    for (const Options::Problem& one : options.check())
      problems.push_back({one.fatal, one.origin, one.option, one.message});
    if (!tell(problems)) return 1;
    Cluster cluster(options.find("swift_dir").value_or("/etc/swift"));
    ServerHost host(cluster, options, name);
    const auto daemon = plugin.make_daemon({options, host});
    const StopSignals signals;
    if (once) {
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

std::optional<int> run_as_daemon(const std::vector<std::string>& command_line) {
  if (command_line.empty()) return std::nullopt;
  std::vector<std::string> words(command_line.begin() + 1, command_line.end());
  const std::string called = std::filesystem::path(command_line.front()).filename().string();
  if (called.starts_with("swift-")) words.insert(words.begin(), called.substr(6));
  if (words.empty() || !is_daemon(PluginLoader(), words.front())) return std::nullopt;
  std::optional<std::string> conf;
  bool once = false;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "once" || words[i] == "-o" || words[i] == "--once") {
      once = true;
    } else if (!conf && !words[i].starts_with('-')) {
      conf = words[i];
    }
  }
  if (conf) return run(words.front(), *conf, once);
  std::cerr << "apus " << words.front() << ": expected CONF [once]\n";
  return 2;
}

}  // namespace apus
