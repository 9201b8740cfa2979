#include "framework/backend/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>

namespace apus {
namespace {

constexpr std::size_t kMaxOutput = 65536;
constexpr std::chrono::milliseconds kLook{200};

}  // namespace

bool collect_output(int fd, std::string& out, std::chrono::steady_clock::time_point end,
                    const std::stop_token& stop) {
  std::array<char, 4096> piece;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0 || stop.stop_requested()) return false;
    pollfd entry{fd, POLLIN, 0};
    const auto wait = stop.stop_possible() ? std::min(left, kLook) : left;
    const int ready = ::poll(&entry, 1, static_cast<int>(wait.count()));
    if (ready < 0 && errno != EINTR) return true;
    if (ready <= 0) continue;
    const ssize_t count = ::read(fd, piece.data(), piece.size());
    if (count == 0 || (count < 0 && errno != EINTR)) return true;
    if (count > 0)
      out.append(piece.data(), std::min(static_cast<std::size_t>(count), kMaxOutput - out.size()));
  }
}

int start_child(const std::vector<std::string>& command, int out, pid_t& pid) {
  std::vector<std::string> words = command;
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigset_t usual;
  sigemptyset(&usual);
  sigaddset(&usual, SIGPIPE);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  // Ours blocks SIGTERM and ignores SIGPIPE.
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  if (out >= 0) {
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
  }
  const int error =
      ::posix_spawnp(&pid, pointers.front(), &actions, &attributes, pointers.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  return error;
}

ChildResult run_child(const std::vector<std::string>& command, std::chrono::milliseconds timeout,
                      const std::stop_token& stop) {
  ChildResult result;
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    result.output = std::strerror(errno);
    return result;
  }
  pid_t pid = -1;
  const int error = start_child(command, ends[1], pid);
  ::close(ends[1]);
  if (error != 0) {
    ::close(ends[0]);
    result.output = command.front() + ": " + std::strerror(error);
    return result;
  }
  const bool ended =
      collect_output(ends[0], result.output, std::chrono::steady_clock::now() + timeout, stop);
  ::close(ends[0]);
  if (!ended) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  result.good = ended && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (!ended)
    result.output +=
        stop.stop_requested() ? " (killed: a stop was requested)" : " (killed: it took too long)";
  return result;
}

std::string rsync_module_for(const std::string& pattern, const RingDevice& device) {
  const auto bracketed = [](const std::string& ip) {
    return ip.find(':') == std::string::npos ? ip : "[" + ip + "]";
  };
  const std::map<std::string, std::string> fields = {
      {"ip", bracketed(device.ip)},
      {"port", std::to_string(device.port)},
      {"replication_ip", bracketed(device.replication_ip)},
      {"replication_port", std::to_string(device.replication_port)},
      {"region", std::to_string(device.region)},
      {"zone", std::to_string(device.zone)},
      {"device", device.device},
      {"meta", device.meta},
  };
  std::string out;
  for (std::size_t at = 0; at < pattern.size();) {
    const std::size_t end = pattern[at] == '{' ? pattern.find('}', at) : std::string::npos;
    const auto field =
        end == std::string::npos ? fields.end() : fields.find(pattern.substr(at + 1, end - at - 1));
    if (field == fields.end()) {
      out += pattern[at++];
    } else {
      out += field->second;
      at = end + 1;
    }
  }
  while (out.ends_with('/')) out.pop_back();
  return out;
}

bool is_rsync_daemon(const std::string& target) {
  return target.starts_with("rsync://") ||
         target.substr(0, target.find('/')).find("::") != std::string::npos;
}

}  // namespace apus
