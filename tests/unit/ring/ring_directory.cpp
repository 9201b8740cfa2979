#include "framework/ring/ring_directory.h"

#include <apus/testing/clock.h>
#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "tests/unit/ring/made_builder.h"

using namespace apus;

namespace {

namespace fs = std::filesystem;

struct Folder {
  Folder() : path(fs::temp_directory_path() / ("apus-rings-" + std::to_string(::getpid()))) {
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  // Each a second older or newer than the other, whatever the file system keeps of times.
  void write(int part_power, int second) const {
    RingBuilder builder = made_builder(part_power, 2, {});
    builder.rebalance("x");
    builder.save_ring(file().string());
    touch(second);
  }
  void touch(int second) const {
    fs::last_write_time(file(), fs::file_time_type() + std::chrono::seconds(second));
  }
  [[nodiscard]] fs::path file() const { return path / "object-2.ring.gz"; }
  fs::path path;
};

// Loading goes on behind the caller.
bool comes(RingFolder& rings, std::uint32_t partitions) {
  for (int tries = 0; tries < 10'000; ++tries) {
    if (rings.object(2)->partition_count() == partitions) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

}  // namespace

TEST_CASE("a ring is one copy for all, and a new file takes its place without a wait") {
  const Folder folder;
  testing::FakeClock clock;
  RingFolder rings(folder.path, clock);
  CHECK_THROWS(rings.object(2));
  folder.write(4, 1);
  std::vector<std::shared_ptr<const Ring>> seen(8);
  std::vector<std::thread> threads;
  for (auto& ring : seen) threads.emplace_back([&] { ring = rings.object(2); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& ring : seen) CHECK(ring == seen.front());

  folder.write(5, 2);
  CHECK(rings.object(2) == seen.front());  // nobody looks before 15 s are over
  clock.advance(std::chrono::seconds(16));
  CHECK(rings.object(2) == seen.front());  // who looks does not wait
  CHECK(comes(rings, 32));
  CHECK(seen.front()->partition_count() == 16);  // and who has the old one keeps it

  clock.advance(std::chrono::seconds(16));
  const auto same = rings.object(2);
  CHECK(rings.object(2) == same);
}

TEST_CASE("a file that is no ring, or gone, leaves the old ring") {
  const Folder folder;
  testing::FakeClock clock;
  folder.write(4, 1);
  RingFolder rings(folder.path, clock);
  const auto first = rings.object(2);
  std::ofstream(folder.file()) << "junk";
  folder.touch(2);
  for (int looks = 0; looks < 3; ++looks) {
    clock.advance(std::chrono::seconds(16));
    CHECK(rings.object(2) == first);
  }
  fs::remove(folder.file());
  clock.advance(std::chrono::seconds(16));
  CHECK(rings.object(2) == first);
  folder.write(5, 3);
  for (int looks = 0; looks < 10'000 && rings.object(2) == first; ++looks) {
    clock.advance(std::chrono::seconds(16));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(rings.object(2)->partition_count() == 32);
}
