// Rows of many threads for one pending file.
#include "framework/store/db/pending_rows.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace apus::test {
namespace {

using namespace std::chrono_literals;

constexpr int kThreads = 8;
constexpr int kEach = 100;

// A pending file in memory, that only one may write to at a time.
struct File {
  std::uint64_t write(std::string_view records) {
    CHECK(writers.fetch_add(1) == 0);
    std::this_thread::sleep_for(200us);
    ++writes;
    text.append(records);
    writers.fetch_sub(1);
    return text.size();
  }
  std::atomic<int> writers{0};
  int writes = 0;
  std::string text;
};

void in_threads(const std::function<void(int)>& work) {
  std::vector<std::jthread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) threads.emplace_back([&work, i] { work(i); });
}

}  // namespace

TEST_CASE("pending rows: each record is written once, many of them together") {
  PendingRows rows;
  File file;
  std::atomic<int> wrote{0};
  in_threads([&](int) {
    for (int i = 0; i < kEach; ++i) {
      const auto size =
          rows.append("f", ":row", [&](std::string_view records) { return file.write(records); });
      if (size > 0) ++wrote;
    }
  });
  CHECK(file.text.size() == std::size_t{4} * kThreads * kEach);
  CHECK(file.writes == wrote);
  CHECK(file.writes < kThreads * kEach);
}

TEST_CASE("pending rows: who has written sees the record in the file") {
  PendingRows rows;
  File file;
  std::atomic<int> missing{0};
  std::mutex mutex;  // over file.text, for whoever looks
  in_threads([&](int thread) {
    for (int i = 0; i < kEach; ++i) {
      const std::string record = ":" + std::to_string(thread) + "-" + std::to_string(i) + ";";
      rows.append("f", record, [&](std::string_view records) {
        const std::lock_guard lock(mutex);
        return file.write(records);
      });
      const std::lock_guard lock(mutex);
      if (file.text.find(record) == std::string::npos) ++missing;
    }
  });
  CHECK(missing == 0);
}

TEST_CASE("pending rows: a failure is told to all whose records it was about, and to no other") {
  PendingRows rows;
  std::atomic<int> refused{0};
  std::atomic<int> taken{0};
  std::atomic<std::size_t> records_refused{0};
  std::atomic<int> turn{0};
  in_threads([&](int) {
    for (int i = 0; i < kEach; ++i) {
      try {
        rows.append("f", "r", [&](std::string_view records) -> std::uint64_t {
          std::this_thread::sleep_for(200us);
          if (turn.fetch_add(1) % 2 == 0) return records.size();
          records_refused += records.size();
          throw std::runtime_error("full");
        });
        ++taken;
      } catch (const std::runtime_error&) {
        ++refused;
      }
    }
  });
  CHECK(taken + refused == kThreads * kEach);
  CHECK(static_cast<std::size_t>(refused) == records_refused);
  CHECK(taken > 0);
  CHECK(refused > 0);
}

TEST_CASE("pending rows: one file does not wait for another") {
  PendingRows rows;
  std::atomic<bool> inside{false};
  std::atomic<bool> other{false};
  bool in_time = false;
  std::jthread slow([&] {
    rows.append("slow", "r", [&](std::string_view) -> std::uint64_t {
      inside = true;
      for (int i = 0; i < 10'000 && !other; ++i) std::this_thread::sleep_for(1ms);
      in_time = other;
      return 1;
    });
  });
  while (!inside) std::this_thread::yield();
  CHECK(rows.append("other", "r", [](std::string_view) -> std::uint64_t { return 7; }) == 7);
  other = true;
  slow.join();
  CHECK(in_time);
}

}  // namespace apus::test
