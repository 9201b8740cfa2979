#include "servers/apus/operators/started_servers.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <system_error>
#include <utility>

#include "framework/backend/child_process.h"

namespace apus {
namespace {

using Moment = std::chrono::steady_clock::time_point;

constexpr std::chrono::seconds kAfterWords{3};       // they may have been a warning
constexpr std::chrono::milliseconds kAfterNone{50};  // to be seen ending of it
constexpr std::chrono::hours kPassPiece{1};
constexpr timespec kGlance{0, 10'000'000};

Moment moment_now() { return std::chrono::steady_clock::now(); }

[[noreturn]] void fail(const std::string& file) {
  throw std::system_error(errno, std::generic_category(), file);
}

// Known before a daemon runs that nobody would find.
void prepare_folder_of(const std::string& pid_file) {
  const std::filesystem::path folder = std::filesystem::path(pid_file).parent_path();
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw std::system_error(error, folder.string());
  if (::access(folder.c_str(), W_OK | X_OK) != 0) fail(folder.string());
}

void write_pid_file(const std::string& pid_file, pid_t pid) {
  std::ofstream out(pid_file, std::ios::trunc);
  out << pid;
  out.close();
  if (!out) fail(pid_file);
}

std::vector<std::string> command_of(const StartOrder& order, StartOutput output) {
  std::vector<std::string> out = {order.program, order.conf};
  if (order.once) out.emplace_back("once");
  if (output == StartOutput::kTerminal) out.emplace_back("verbose");
  return out;
}

std::string ending_of(int status) {
  if (WIFSIGNALED(status)) return "was ended by signal " + std::to_string(WTERMSIG(status));
  return "ended with status " + std::to_string(WEXITSTATUS(status));
}

// Where a child's words go, and where they are read; -1 for none.
struct Ends {
  int read = -1;
  int write = -1;
};

Ends make_ends(StartOutput output) {
  if (output == StartOutput::kTerminal) return {};
  if (output == StartOutput::kNone) {
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) fail("/dev/null");
    return {-1, null};
  }
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe");
  return {ends[0], ends[1]};
}

}  // namespace

StartedServers::~StartedServers() {
  for (const Started& one : started_) {
    if (one.said >= 0) ::close(one.said);
  }
}

void StartedServers::start(const StartOrder& order) {
  prepare_folder_of(order.pid_file);
  const Ends ends = make_ends(output_);
  pid_t pid = 0;
  const int error = start_child(command_of(order, output_), ends.write, pid);
  if (ends.write >= 0) ::close(ends.write);
  if (error != 0) {
    if (ends.read >= 0) ::close(ends.read);
    throw std::system_error(error, std::generic_category(), order.program);
  }
  started_.push_back({order, pid, ends.read, std::nullopt, false, false});
  try {
    write_pid_file(order.pid_file, pid);
  } catch (const std::system_error&) {
    ::kill(pid, SIGTERM);
    ::close(std::exchange(started_.back().said, -1));
    started_.pop_back();
    throw;
  }
}

void StartedServers::listen(Started& one, Moment end) {
  if (one.said < 0) return;
  std::string text;
  // One that another was waited for so long may have been up for long.
  bool over = collect_output(one.said, text, std::max(end, moment_now() + kAfterNone));
  // A pass takes as long as it takes.
  while (!over && one.order.once) over = collect_output(one.said, text, moment_now() + kPassPiece);
  ::close(std::exchange(one.said, -1));
  one.stuck = !over;
  one.spoke = !text.empty();
  std::cout << text << (text.empty() || text.ends_with('\n') ? "" : "\n") << std::flush;
  if (one.order.once) look_at(one, 0);
}

void StartedServers::look_at(Started& one, int flags) {
  int status = 0;
  if (one.status || ::waitpid(one.pid, &status, flags) != one.pid) return;
  one.status = status;
  ::unlink(one.order.pid_file.c_str());
}

// True when all have ended.
bool StartedServers::look_at_all() {
  bool ended = true;
  for (Started& one : started_) {
    look_at(one, WNOHANG);
    ended = ended && one.status.has_value();
  }
  return ended;
}

bool StartedServers::tell_failed() const {
  bool good = true;
  for (const Started& one : started_) {
    const std::string who = one.order.name + " (" + std::to_string(one.pid) + ") ";
    const bool failed = one.status && *one.status != 0;
    if (failed) std::cerr << who << ending_of(*one.status) << "\n";
    if (one.stuck)
      std::cerr << who << "still holds its output after " << patience_.count() << " seconds\n";
    good = good && !failed && !one.stuck;
  }
  return good;
}

bool StartedServers::wait_until_up() {
  const auto end = moment_now() + patience_;
  for (Started& one : started_) listen(one, end);
  const auto quiet_end = moment_now() + kAfterNone;
  const auto end_of_all = moment_now() + kAfterWords;
  const auto may_still_fail = [](const Started& one) { return one.spoke && !one.status; };
  while (!look_at_all()) {
    const bool spoke = std::any_of(started_.begin(), started_.end(), may_still_fail);
    if (moment_now() >= (spoke ? end_of_all : quiet_end)) break;
    ::nanosleep(&kGlance, nullptr);
  }
  return tell_failed();
}

bool StartedServers::wait_until_ended(const std::function<void()>& stop) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &ends, &before);
  bool quit = false;
  while (!quit && !look_at_all()) {
    constexpr timespec kPiece{0, 100'000'000};
    quit = ::sigtimedwait(&ends, nullptr, &kPiece) > 0;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!quit) return tell_failed();
  std::cout << "\nuser quit\n" << std::flush;
  stop();
  return true;
}

}  // namespace apus
