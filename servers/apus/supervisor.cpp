#include "servers/apus/supervisor.h"

#include <apus/text.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <set>
#include <stdexcept>
#include <utility>

#include "framework/log/line_logger.h"
#include "servers/apus/listen_sockets.h"
#include "servers/apus/process.h"
#include "servers/apus/serve.h"
#include "servers/apus/worker.h"

namespace apus {
namespace {

constexpr char kSockets[] = "APUS_HANDED_SOCKETS";
constexpr char kWorkers[] = "APUS_DRAINING_WORKERS";
constexpr char kWorker[] = "APUS_WORKER";
constexpr char kWords[] = "APUS_WORKER_WORDS";  // its pipe
constexpr int kRetire = 5000;             // milliseconds; a worker lets go of its sockets at once
constexpr std::chrono::seconds kEnd{14};  // a worker takes at most 10 to end

std::string take_environment(const char* name) {
  const char* text = std::getenv(name);
  std::string out = text != nullptr ? text : "";
  ::unsetenv(name);
  return out;
}

class Supervisor {
 public:
  explicit Supervisor(const SuperviseRequest& request) : request_(request) {}

  int run() {
    sockets_ = unpack_sockets(take_environment(kSockets));
    take_workers_over();
    const bool ready = open();
    if (!ready && worker_ == 0) return 1;
    if (request_.as_swift) leave_terminal();
    if (ready && !replace_worker()) return 1;
    up();
    return follow();
  }

 private:
  void take_workers_over() {
    for (const std::string& word : split_list(take_environment(kWorkers), ','))
      old_.insert(static_cast<pid_t>(parse_digits(word).value_or(0)));
    old_.erase(0);
    words_ = static_cast<int>(parse_int(take_environment(kWords)).value_or(-1));
    if (words_ < 0) return;
    ::fcntl(words_, F_SETFD, FD_CLOEXEC);
    worker_ = static_cast<pid_t>(parse_digits(take_environment(kWorker)).value_or(0));
  }

  // False when there is nothing to listen on. What is wrong is told; a worker that serves already
  // goes on with the sockets that it has.
  bool open() {
    std::vector<ConfProblem> problems;
    places_ = listen_places(request_.confs, problems);
    std::string fault;
    try {
      if (!any_fatal(problems)) {
        sockets_ = open_sockets(places_, sockets_);
        return true;
      }
    } catch (const std::runtime_error& error) {
      if (worker_ == 0) throw;
      fault = error.what();
    }
    tell(problems);
    for (const ConfProblem& problem : problems)
      fault += (fault.empty() ? "" : "; ") + problem.text();
    say(LogLevel::kError, "not renewed, the old worker goes on: " + fault);
    return false;
  }

  // True when a worker serves: the new one, or the one before.
  bool replace_worker() {
    const pid_t before = std::exchange(worker_, 0);
    const int words = std::exchange(words_, -1);
    if (start()) {
      retire(before, words);
      return true;
    }
    if (before == 0) return false;
    say(LogLevel::kError, "the new worker did not start; the old one goes on");
    worker_ = before;
    words_ = words;
    return true;
  }

  // Lets the worker finish alone; returns once it has let go of the sockets and does not die with
  // this process any more, or is gone.
  void retire(pid_t worker, int words) {
    if (worker <= 0) return;
    ::kill(worker, SIGHUP);
    old_.insert(worker);
    pollfd heard{words, POLLIN, 0};
    ::poll(&heard, 1, kRetire);
    ::close(words);
  }

  // True once the worker serves.
  bool start() {
    if (words_ >= 0) ::close(words_);
    worker_ = start_worker(request_, sockets_, words_);
    char byte = 0;
    ssize_t count = 0;
    do {
      count = ::read(words_, &byte, 1);
    } while (count < 0 && errno == EINTR);
    if (count == 1) return true;
    ::waitpid(worker_, nullptr, 0);
    ::close(std::exchange(words_, -1));
    worker_ = 0;
    return false;
  }

  void up() {
    if (request_.as_swift && !request_.keep_stdio) release_stdio();
    if (!request_.pid_file.empty()) {
      std::ofstream out(request_.pid_file, std::ios::trunc);
      out << ::getpid() << "\n";
      out.close();
      if (!out) say(LogLevel::kError, "cannot write the pid file " + request_.pid_file);
    }
    notify_systemd("READY=1");
    say(LogLevel::kNotice, "Started worker " + std::to_string(worker_) + " from supervisor " +
                               std::to_string(::getpid()));
  }

  int follow() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD}) sigaddset(&set, signal);
    while (true) {
      int signal = 0;
      if (sigwait(&set, &signal) != 0) continue;
      if (signal == SIGTERM || signal == SIGINT) return end();
      if (signal == SIGHUP) return leave();
      if (signal == SIGUSR1) renew();
      reap();
    }
  }

  void close_sockets() {
    for (const auto& [key, fd] : sockets_) ::close(fd);
    sockets_.clear();
  }

  void forget_pid_file() const {
    if (!request_.pid_file.empty()) ::unlink(request_.pid_file.c_str());
  }

  int end() {
    say(LogLevel::kNotice, "SIGTERM received (" + std::to_string(::getpid()) + ")");
    close_sockets();
    forget_pid_file();
    kill_workers(SIGTERM);
    const auto deadline = std::chrono::steady_clock::now() + kEnd;
    while (worker_ > 0 || !old_.empty()) {
      const pid_t pid = ::waitpid(-1, nullptr, WNOHANG);
      if (pid < 0) break;
      forget(pid);
      if (pid > 0) continue;
      if (std::chrono::steady_clock::now() >= deadline) kill_workers(SIGKILL);
      const std::timespec pause{0, 20'000'000};
      ::nanosleep(&pause, nullptr);
    }
    say(LogLevel::kNotice, "Exited (" + std::to_string(::getpid()) + ")");
    return 0;
  }

  // The worker finishes alone; whoever starts the next server finds the port free.
  int leave() {
    say(LogLevel::kNotice, "SIGHUP received (" + std::to_string(::getpid()) + ")");
    close_sockets();
    forget_pid_file();
    retire(worker_, words_);
    return 0;
  }

  // Checked in a child: a wrong conf, or a plugin that fails to load, leaves this process as it is.
  bool confs_are_right() {
    const pid_t pid = ::fork();
    if (pid == 0) {
      std::vector<ConfProblem> problems;
      Served served(request_.confs, problems);
      for (const ConfProblem& problem : problems)
        say(problem.fatal ? LogLevel::kError : LogLevel::kWarning, problem.text());
      ::_exit(any_fatal(problems) || !keys_are_right(served) ? 1 : 0);
    }
    int status = 1;
    return pid > 0 && ::waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
  }

  bool keys_are_right(Served& served) const {
    try {
      served.read_keys();
      return true;
    } catch (const std::exception& error) {
      say(LogLevel::kError, error.what());
      return false;
    }
  }

  void renew() {
    say(LogLevel::kNotice, "SIGUSR1 received (" + std::to_string(::getpid()) + ")");
    if (!confs_are_right()) {
      say(LogLevel::kError, "the confs are wrong: not renewed, the old ones stay in force");
      return;
    }
    notify_systemd("RELOADING=1");
    ::setenv(kSockets, pack_sockets(sockets_).c_str(), 1);
    pass_workers_on();
    std::vector<char*> words;
    for (const std::string& word : request_.command_line)
      words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    ::execv(executable_.c_str(), words.data());
    ::unsetenv(kSockets);
    for (const char* name : {kWorkers, kWorker, kWords}) ::unsetenv(name);
    ::fcntl(words_, F_SETFD, FD_CLOEXEC);
    say(LogLevel::kError, "cannot run " + executable_ + " again; the old worker goes on");
  }

  void pass_workers_on() const {
    std::string old;
    for (const pid_t pid : old_) old += (old.empty() ? "" : ",") + std::to_string(pid);
    ::setenv(kWorkers, old.c_str(), 1);
    if (worker_ <= 0) return;
    ::fcntl(words_, F_SETFD, 0);
    ::setenv(kWords, std::to_string(words_).c_str(), 1);
    ::setenv(kWorker, std::to_string(worker_).c_str(), 1);
  }

  void kill_workers(int signal) const {
    for (const pid_t pid : old_) ::kill(pid, signal);
    if (worker_ > 0) ::kill(worker_, signal);
  }

  void forget(pid_t pid) {
    old_.erase(pid);
    if (pid == worker_) worker_ = 0;
  }

  void reap() {
    bool died = true;
    for (pid_t pid = 1; pid > 0;) {
      int status = 0;
      pid = ::waitpid(-1, &status, WNOHANG);
      if (pid > 0 && pid == worker_) died = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
      if (pid > 0) forget(pid);
    }
    if (worker_ > 0) return;
    if (died) {
      say(LogLevel::kError, "the worker died; starting another");
    } else {
      say(LogLevel::kNotice, "the worker was told to end; starting another");
    }
    const std::timespec pause{1, 0};
    if (last_start_ + std::chrono::seconds(1) > std::chrono::steady_clock::now())
      ::nanosleep(&pause, nullptr);
    last_start_ = std::chrono::steady_clock::now();
    if (!start()) ::kill(::getpid(), SIGCHLD);  // comes back here, after signals that end
  }

  void say(LogLevel level, const std::string& text) const {
    if (places_.empty()) return;
    try {
      const auto logger = make_logger(log_conf_of(places_.front().options, "apus"));
      if (logger->enabled(level)) logger->write(level, text, {});
    } catch (const std::exception&) {
      // A log that cannot be opened was told when the worker started.
    }
  }

  const SuperviseRequest& request_;
  const std::string executable_ = std::filesystem::read_symlink("/proc/self/exe").string();
  std::vector<ListenPlace> places_;
  ListeningSockets sockets_;
  pid_t worker_ = 0;
  std::set<pid_t> old_;  // workers that drain
  int words_ = -1;       // from the worker: a byte once it serves, one once it drains
  std::chrono::steady_clock::time_point last_start_ = std::chrono::steady_clock::now();
};

}  // namespace

int supervise(const SuperviseRequest& request) { return Supervisor(request).run(); }

}  // namespace apus
