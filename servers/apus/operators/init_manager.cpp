#include "servers/apus/operators/init_manager.h"

#include <apus/text.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <system_error>

#include "servers/apus/operators/raise_limits.h"
#include "servers/apus/operators/started_servers.h"

namespace apus {
namespace {

constexpr std::chrono::seconds kAfterKill{1};  // the kernel takes them away

bool is_program(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::string find_program(const std::string& name, const std::string& folder) {
  if (name.find('/') != std::string::npos) return "";
  const char* path = std::getenv("PATH");
  std::vector<std::string> folders = split_list(path != nullptr ? path : "", ':');
  folders.insert(folders.begin(), folder);
  for (const std::string& one : folders) {
    const std::filesystem::path out = std::filesystem::absolute(one) / name;
    if (is_program(out)) return out.string();
  }
  return "";
}

InitManager::InitManager(const std::vector<std::string>& words, const InitOptions& options)
    : options_(options) {
  const ChosenServers chosen = choose_servers(words);
  strict_ = options.strict.value_or(chosen.each_named);
  const InitFolders folders(options.swift_dir, options.run_dir);
  for (const SwiftServer& server : chosen.servers) {
    if (!find_program(server.program(), options.program_folder).empty())
      servers_.emplace_back(server, folders, options.number, options.verbose);
  }
  if (!servers_.empty()) return;
  const std::string first =
      chosen.servers.empty() ? "a server of such a name" : chosen.servers.front().program();
  throw std::runtime_error(first + " is neither in " + options.program_folder + " nor in PATH");
}

bool InitManager::status() {
  bool good = true;
  for (const ManagedServer& server : servers_) good = server.tell_status() && good;
  return good;
}

bool InitManager::is_started(const ManagedServer& server,
                             const std::vector<std::string>& confs) const {
  bool out = false;
  for (const auto& [pid, pid_file] : server.running()) {
    const std::string conf = server.conf_of(pid_file);
    const bool same = std::find(confs.begin(), confs.end(), conf) != confs.end();
    if (!same && options_.number != 0) continue;
    std::cout << server.name() << " running (" << pid << " - " << (same ? conf : pid_file) << ")\n";
    out = true;
  }
  if (out) std::cout << server.name() << " already started...\n";
  return out;
}

bool InitManager::launch(const ManagedServer& server, StartedServers& started) {
  const std::vector<std::string> confs = server.confs();
  if (confs.empty() || is_started(server, confs)) return false;
  const std::string program = find_program(server.server().program(), options_.program_folder);
  const bool once = options_.once && !server.server().is_main();
  for (const std::string& conf : confs) {
    std::cout << (once ? "Running " : "Starting ") << server.name() << (once ? " once" : "")
              << "...(" << conf << ")\n";
    try {
      started.start({server.name(), program, conf, server.pid_file(conf), once});
    } catch (const std::system_error& error) {
      std::cerr << server.name() << ": " << error.what() << "\n";
      broken_ = true;
      return false;
    }
  }
  return true;
}

bool InitManager::start() {
  raise_limits();
  ::setenv("PYTHON_EGG_CACHE", std::filesystem::temp_directory_path().c_str(), 0);
  StartedServers started(options_.no_daemon ? StartOutput::kTerminal
                         : options_.no_wait ? StartOutput::kNone
                                            : StartOutput::kWaited);
  bool good = true;
  for (const ManagedServer& server : servers_) good = launch(server, started) && good;
  good = (good || !strict_) && !broken_;
  if (options_.no_daemon) return started.wait_until_ended([&] { stop(); }) && good;
  return options_.no_wait ? good : started.wait_until_up() && good;
}

bool InitManager::wait_for(Signalled& left, std::chrono::seconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    for (auto& [server, pids] : left) {
      for (const auto& [pid, pid_file] : pids) ::waitpid(pid, nullptr, WNOHANG);  // if it is ours
      const ManagedServer::Pids running = server->running();
      std::erase_if(pids, [&, name = server->name()](const auto& one) {
        if (running.contains(one.first)) return false;
        std::cout << name << " (" << one.first << ") appears to have stopped\n";
        return true;
      });
    }
    std::erase_if(left, [](const auto& one) { return one.second.empty(); });
    if (left.empty()) return true;
    if (std::chrono::steady_clock::now() >= end) return false;
    constexpr timespec kPiece{0, 100'000'000};
    ::nanosleep(&kPiece, nullptr);
  }
}

void InitManager::give_up(Signalled& left) const {
  for (const auto& [server, pids] : left) {
    std::cout << "Waited " << options_.kill_wait << " seconds for " << server->name() << " to die; "
              << (options_.kill_after_timeout ? "killing" : "giving up") << "\n";
    if (!options_.kill_after_timeout) continue;
    for (const auto& [pid, pid_file] : pids) {
      std::cout << "Signal " << server->name() << "  pid: " << pid << "  signal: " << SIGKILL
                << "\n";
      // A daemon leads a group; one that does not dies alone.
      if (::kill(-pid, SIGKILL) != 0 && errno == ESRCH) ::kill(pid, SIGKILL);
    }
  }
  if (options_.kill_after_timeout) wait_for(left, kAfterKill);
}

bool InitManager::stop() {
  Signalled left;
  for (const ManagedServer& server : servers_) {
    ManagedServer::Pids pids = server.stop(ending());
    if (pids.empty()) {
      std::cout << "No " << server.name() << " running\n";
    } else {
      left.emplace_back(&server, std::move(pids));
    }
  }
  if (left.empty()) return false;
  if (wait_for(left, std::chrono::seconds(options_.kill_wait))) return true;
  give_up(left);
  return false;
}

bool InitManager::kill() {
  if (stop()) return true;
  return std::all_of(servers_.begin(), servers_.end(),
                     [](const ManagedServer& server) { return server.running().empty(); });
}

bool InitManager::restart() {
  const bool stopped = stop();
  return start() && stopped;
}

// One server after the other, so that the others serve meanwhile.
bool InitManager::reload() {
  bool good = true;
  const std::vector<ManagedServer> all = servers_;
  for (const ManagedServer& server : all) {
    servers_ = {server};
    good = restart() && good;
  }
  servers_ = all;
  return good;
}

bool InitManager::reload_seamless() {
  bool good = true;
  for (const ManagedServer& server : servers_) {
    if (!server.stop(Ending::kSeamless).empty()) continue;
    std::cout << "No " << server.name() << " running\n";
    good = false;
  }
  return good;
}

bool InitManager::kill_child_pids() {
  bool good = true;
  for (const ManagedServer& server : servers_) {
    if (!server.stop_children(ending()).empty()) continue;
    std::cout << "No " << server.name() << " running\n";
    good = false;
  }
  return good;
}

}  // namespace apus
