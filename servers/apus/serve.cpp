#include "servers/apus/serve.h"

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <iostream>

#include "servers/apus/allocator.h"
#include "servers/apus/background.h"
#include "servers/apus/own_confs.h"
#include "servers/apus/priorities.h"
#include "servers/apus/served.h"

namespace apus {
namespace {

namespace fs = std::filesystem;

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

// Every idle connection is an open file: as many as the system lets this process have.
void allow_many_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

bool serves_nobody(const fs::path& path) {
  return path.filename() == "internal-client.conf" || own_conf(path) != nullptr;
}

void tell(const std::vector<ConfProblem>& problems) {
  for (const ConfProblem& problem : problems) {
    std::cerr << (problem.fatal ? "error: " : "warning: ") << problem.text() << "\n";
  }
}

void block_stop_signals() {
  const sigset_t set = set_of({SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD});
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

std::vector<fs::path> conf_paths(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> whole;
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.path().extension() != ".conf") continue;
    if (serves_nobody(entry.path())) continue;
    std::vector<ConfProblem> ignored;
    if (read_conf(entry.path(), ignored).find("pipeline:main") != nullptr)
      whole.push_back(entry.path());
  }
  std::sort(whole.begin(), whole.end());
  return whole.size() > 1 ? whole : std::vector<fs::path>{path};
}

int serve(const std::vector<fs::path>& confs, const std::function<void(int port)>& ready) {
  allow_many_files();
  std::vector<ConfProblem> problems;
  Served served(confs, problems);
  Background daemons(confs, problems);
  tell(problems);
  if (any_fatal(problems)) return 1;
  if (!served.plans().empty()) tell(take_priorities(served.plans().front().options));
  give_memory_back();
  try {
    served.start();
    daemons.start(served);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
  ready(served.client_port());
  const sigset_t set = set_of({SIGTERM, SIGINT, SIGHUP});
  int signal = 0;
  sigwait(&set, &signal);
  daemons.stop();
  served.stop(Served::kGrace);
  return 0;
}

}  // namespace apus
