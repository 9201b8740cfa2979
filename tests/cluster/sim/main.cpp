// cluster_sim [--seeds N] [--first S] [--events N] [--story]: simulations of a cluster, a seed
// each.
#include <sys/xattr.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

#include "tests/cluster/sim/world.h"

namespace {

struct Arguments {
  std::uint64_t seeds = 100;
  std::uint64_t first = 1;
  std::size_t events = 40;
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

int simulate(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Simulations of a cluster: writes, faults and daemons, held against a model");
  app.add_option("--seeds", arguments.seeds, "how many")->capture_default_str();
  app.add_option("--first", arguments.first, "the first seed")->capture_default_str();
  app.add_option("--events", arguments.events, "in each")->capture_default_str();
  app.add_flag("--keep-hashes", arguments.keep_hashes,
               "suffix hashes of before a power cut are believed after it");
  app.add_flag("--story", arguments.story, "tell what happened, whatever the end");
  CLI11_PARSE(app, argc, argv);
  use_memory();
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t failed = 0;
  int most_rounds = 0;
  for (std::uint64_t i = 0; i < arguments.seeds && failed < 5; ++i)
    failed += run(arguments.first + i, arguments, most_rounds) ? 0 : 1;
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::cout << arguments.seeds << " seeds from " << arguments.first << ", " << failed
            << " failed, at most " << most_rounds << " passes to rest, " << seconds << " s"
            << std::endl;
  return failed == 0 ? 0 : 1;
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
