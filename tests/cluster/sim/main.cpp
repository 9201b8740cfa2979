// cluster_sim [--seeds N] [--first S] [--events N] [--jobs N] [--story]: simulations of a cluster,
// a seed each.
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/cluster/sim/world.h"

namespace {

struct Arguments {
  std::uint64_t seeds = 100;
  std::uint64_t first = 1;
  std::size_t events = 40;
  std::uint64_t jobs = 1;
  bool story = false;
  bool keep_hashes = false;
};

// Databases are synced all the time: where memory can hold files with extended attributes, it does.
void use_memory() {
  std::string name = "/dev/shm/apus-sim-XXXXXX";
  const int fd = ::mkstemp(name.data());
  if (fd < 0) return;
  if (::fsetxattr(fd, "user.apus", "1", 1, 0) == 0) ::setenv("TMPDIR", "/dev/shm", 0);
  ::close(fd);
  ::unlink(name.c_str());
}

// True when nothing was wrong.
bool run(std::uint64_t seed, const Arguments& arguments, int& most_rounds) {
  apus::sim::World world(seed, arguments.keep_hashes);
  world.run(arguments.events);
  const std::string wrong = world.settle();
  most_rounds = std::max(most_rounds, world.rounds());
  if (arguments.story || !wrong.empty()) {
    for (const std::string& line : world.story()) std::cout << "  " << line << "\n";
  }
  if (!wrong.empty()) {
    std::cout << "seed " << seed << ": " << wrong << "\nagain: cluster_sim --seeds 1 --first "
              << seed << " --events " << arguments.events << std::endl;
  }
  return wrong.empty();
}

bool run_all(const Arguments& arguments) {
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
  int most_rounds = 0;
  for (; done < arguments.seeds && failed < 5; ++done)
    failed += run(arguments.first + done, arguments, most_rounds) ? 0 : 1;
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::cout << done << " seeds from " << arguments.first << ", " << failed << " failed, at most "
            << most_rounds << " passes to rest, " << seconds << " s" << std::endl;
  return failed == 0;
}

int simulate(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Simulations of a cluster: writes, faults and daemons, held against a model");
  app.add_option("--seeds", arguments.seeds, "how many")->capture_default_str();
  app.add_option("--first", arguments.first, "the first seed")->capture_default_str();
  app.add_option("--events", arguments.events, "in each")->capture_default_str();
  app.add_option("--jobs", arguments.jobs, "processes that share them")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_flag("--keep-hashes", arguments.keep_hashes,
               "suffix hashes of before a power cut are believed after it");
  app.add_flag("--story", arguments.story, "tell what happened, whatever the end");
  CLI11_PARSE(app, argc, argv);
  use_memory();
  // Each process of its own has its share of the seeds; how they end is one bit.
  std::vector<pid_t> others;
  const std::uint64_t first = arguments.first;
  const std::uint64_t all = arguments.seeds;
  std::uint64_t share = all / arguments.jobs;
  for (std::uint64_t job = 1; job < arguments.jobs; ++job) {
    const pid_t pid = ::fork();
    if (pid < 0) throw std::runtime_error("no process could be had");
    if (pid > 0) {
      others.push_back(pid);
      continue;
    }
    others.clear();
    arguments.first = first + job * share;
    share = job + 1 == arguments.jobs ? all - job * share : share;
    break;
  }
  arguments.seeds = share;
  bool good = run_all(arguments);
  for (const pid_t pid : others) {
    int status = 0;
    good = ::waitpid(pid, &status, 0) == pid && status == 0 && good;
  }
  return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return simulate(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "cluster_sim: " << error.what() << "\n";
    return 1;
  }
}
