// What a ring costs in a server: its loading, and its replacement while other threads look up.
#include <apus/testing/clock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "framework/ring/ring_directory.h"

namespace {

using Seconds = std::chrono::duration<double>;
using Now = std::chrono::steady_clock;

// MiB of a line of /proc/self/status.
double memory(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kib = 0;
    if (word == name + ":" && status >> kib) return kib / 1024;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: bench_ring_reload FOLDER  (with an object.ring.gz)\n", stderr);
    return 2;
  }
  apus::testing::FakeClock clock;
  apus::RingFolder rings(argv[1], clock);
  const double empty = memory("VmRSS");
  auto begin = Now::now();
  auto ring = rings.object(0);
  const double loading = Seconds(Now::now() - begin).count();
  const double loaded = memory("VmRSS");
  const std::uint32_t mask = ring->partition_count() - 1;

  std::atomic<bool> over = false;
  double longest = 0;
  std::size_t count = 0;
  std::thread reader([&] {
    for (std::uint32_t part = 1; !over; part = part * 1664525U + 1013904223U) {
      const auto asked = Now::now();
      if (rings.object(0)->primaries(part & mask).empty()) return;
      longest = std::max(longest, Seconds(Now::now() - asked).count());
      ++count;
    }
  });
  const std::string file = std::string(argv[1]) + "/object.ring.gz";
  std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now());
  clock.advance(std::chrono::minutes(1));
  begin = Now::now();
  const auto give_up = begin + std::chrono::minutes(5);
  while (rings.object(0) == ring && Now::now() < give_up)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const double reloading = Seconds(Now::now() - begin).count();
  over = true;
  reader.join();
  const bool replaced = rings.object(0) != ring;
  ring.reset();
  std::printf(
      "loaded in %.2f s, %.0f MiB; %s in %.2f s beside %zu look-ups, the longest %.2f ms; "
      "peak %.0f MiB, then %.0f MiB\n",
      loading, loaded - empty, replaced ? "replaced" : "NOT replaced", reloading, count,
      longest * 1000, memory("VmHWM"), memory("VmRSS"));
  return replaced ? 0 : 1;
}
