#include "servers/apus/operators/managed_server.h"

#include <apus/text.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <fstream>
#include <iostream>
#include <optional>
#include <utility>

#include "servers/apus/operators/found_processes.h"

namespace apus {
namespace {

// Nothing when there is no such file any more; 0 when it holds no pid.
std::optional<int> read_pid(const std::string& pid_file) {
  std::ifstream in(pid_file);
  if (!in) {
    if (errno != ENOENT) std::cerr << pid_file << ": " << ::strerror(errno) << "\n";
    return std::nullopt;
  }
  std::string text;
  std::getline(in, text);
  const auto pid = parse_int(text);
  return pid && *pid > 0 && *pid <= INT_MAX ? static_cast<int>(*pid) : 0;
}

}  // namespace

ManagedServer::ManagedServer(SwiftServer server, InitFolders folders, int number, bool verbose)
    : server_(std::move(server)),
      folders_(std::move(folders)),
      number_(number),
      verbose_(verbose) {}

std::string ManagedServer::pid_file(const std::string& conf) const {
  return pid_file_of(server_, folders_, conf);
}

std::string ManagedServer::conf_of(const std::string& pid_file) const {
  return conf_of_pid_file(server_, folders_, pid_file);
}

std::vector<std::string> ManagedServer::numbered() const {
  return numbered_conf(find_confs(server_, folders_.swift_dir), number_);
}

void ManagedServer::tell_found() const {
  const std::vector<std::string> found = find_confs(server_, folders_.swift_dir);
  if (found.empty()) return;
  std::cout << "Found configs:\n";
  std::size_t number = 0;
  for (const std::string& conf : found) std::cout << "  " << ++number << ") " << conf << "\n";
}

std::vector<std::string> ManagedServer::confs() const {
  std::vector<std::string> out = numbered();
  const bool old = std::any_of(out.begin(), out.end(), [&](const std::string& conf) {
    return conf.find("object-expirer", folders_.swift_dir.size()) != std::string::npos;
  });
  if (out.empty()) tell_no_conf(server_, number_);
  if (old)
    std::cout << "WARNING: object-expirer.conf is deprecated. Move object-expirers' configuration "
                 "into object-server.conf.\n";
  if (verbose_ && (old || out.empty())) tell_found();
  return out;
}

ManagedServer::Pids ManagedServer::known() const {
  const std::vector<std::string> wanted = number_ == 0 ? std::vector<std::string>{} : numbered();
  Pids out;
  for (const std::string& pid_file : find_pid_files(server_, folders_.run_dir)) {
    if (number_ != 0 && std::find(wanted.begin(), wanted.end(), conf_of(pid_file)) == wanted.end())
      continue;
    const auto pid = read_pid(pid_file);
    if (!pid) continue;
    if (*pid == 0) {
      std::cout << "Removing pid file " << pid_file << " with invalid pid\n";
    } else if (may_be(*pid, server_.program())) {
      out.emplace(*pid, pid_file);
      continue;
    } else if (verbose_) {
      std::cout << "Removing pid file " << pid_file << " with wrong pid " << *pid << "\n";
    }
    ::unlink(pid_file.c_str());  // who may not sees it all the same
  }
  return out;
}

bool ManagedServer::signal_one(int pid, int signal, const std::string& pid_file) const {
  if (signal != 0)
    std::cout << "Signal " << name() << "  pid: " << pid << "  signal: " << signal << "\n";
  if (::kill(pid, signal) == 0) return true;
  if (errno == EPERM) {
    std::cout << "No permission to signal PID " << pid << "\n";
  } else if (!pid_file.empty()) {
    if (verbose_) std::cout << "Removing stale pid file " << pid_file << "\n";
    ::unlink(pid_file.c_str());
  }
  return false;
}

ManagedServer::Pids ManagedServer::send(int signal) const {
  Pids out = known();
  std::erase_if(out, [&](const auto& one) { return !signal_one(one.first, signal, one.second); });
  return out;
}

ManagedServer::Pids ManagedServer::stop_children(Ending ending) const {
  Pids out;
  for (const auto& [pid, pid_file] : known()) {
    for (const int child : children_of(pid)) {
      if (signal_one(child, signal_of(ending), "")) out.emplace(child, pid_file);
    }
  }
  return out;
}

int ManagedServer::signal_of(Ending ending) const {
  if (ending == Ending::kSoon || !server_.is_main()) return SIGTERM;
  return ending == Ending::kGraceful ? SIGHUP : SIGUSR1;
}

bool ManagedServer::tell_status() const {
  const Pids pids = running();
  for (const auto& [pid, pid_file] : pids)
    std::cout << name() << " running (" << pid << " - " << conf_of(pid_file) << ")\n";
  if (!pids.empty()) return true;
  const std::vector<std::string> conf = numbered();
  if (number_ == 0) {
    std::cout << "No " << name() << " running\n";
  } else if (conf.empty()) {
    tell_no_conf(server_, number_);
  } else {
    std::cout << name() << " #" << number_ << " not running (" << conf.front() << ")\n";
  }
  return false;
}

}  // namespace apus
