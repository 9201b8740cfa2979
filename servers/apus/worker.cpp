#include "servers/apus/worker.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <iostream>
#include <set>
#include <stdexcept>
#include <system_error>

#include "servers/apus/allocator.h"
#include "servers/apus/priorities.h"
#include "servers/apus/process.h"
#include "servers/apus/serve.h"

namespace apus {
namespace {

constexpr std::timespec kLook{0, 200'000'000};

// All servers of one process run as one user.
void drop_privileges(const Served& served, bool as_swift) {
  std::set<std::string> users;
  for (const ServerPlan& plan : served.plans()) {
    const bool set = plan.options.all().contains("user");
    if (set || as_swift) users.insert(plan.options.text("user"));
  }
  if (users.size() > 1)
    throw std::runtime_error("user: the confs of one process name different users");
  if (!users.empty()) become_user(*users.begin());
}

void say(int words) { [[maybe_unused]] const ssize_t told = ::write(words, "+", 1); }

std::chrono::steady_clock::time_point drain_end(const Served& served) {
  std::chrono::milliseconds longest{0};
  for (const ServerPlan& plan : served.plans())
    longest = std::max(longest, plan.options.seconds("stale_worker_timeout"));
  return std::chrono::steady_clock::now() + longest;
}

// Until the last connection's end, or a TERM.
void drain(Served& served, int words) {
  ::prctl(PR_SET_PDEATHSIG, 0);
  served.drain();
  say(words);
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT}) sigaddset(&set, signal);
  const auto end = drain_end(served);
  while (served.connections() > 0 && std::chrono::steady_clock::now() < end) {
    if (::sigtimedwait(&set, nullptr, &kLook) > 0) break;
  }
}

int work(const SuperviseRequest& request, const ListeningSockets& sockets, int words) {
  std::vector<ConfProblem> problems;
  Served served(request.confs, problems);
  if (any_fatal(problems)) {
    tell(problems);
    return 1;
  }
  served.read_keys();
  if (!served.plans().empty()) tell(take_priorities(served.plans().front().options));
  give_memory_back();
  drop_privileges(served, request.as_swift);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a change of user forgets it: not before
  served.start(sockets);
  if (request.as_swift && !request.keep_stdio) release_stdio();
  say(words);
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set, signal);
  int signal = 0;
  sigwait(&set, &signal);
  // HUP is the supervisor's, who has another worker; USR1 an operator's, after which it starts one.
  if (signal == SIGHUP || signal == SIGUSR1) drain(served, words);
  served.stop(Served::kGrace);
  return 0;
}

}  // namespace

pid_t start_worker(const SuperviseRequest& request, const ListeningSockets& sockets, int& words) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "pipe");
  std::cout.flush();
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
  words = ends[0];
  if (pid > 0) {
    ::close(ends[1]);
    return pid;
  }
  ::close(ends[0]);
  int status = 1;
  try {
    if (::getppid() == parent) status = work(request, sockets, ends[1]);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << std::endl;
  }
  std::exit(status);
}

}  // namespace apus
