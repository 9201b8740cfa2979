#include <apus/crew.h>
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace apus;

TEST_CASE("crew: each piece once, whatever the width") {
  const Crew crew(3);
  for (const std::size_t width : {0U, 1U, 2U, 5U, 100U}) {
    for (const std::size_t count : {0U, 1U, 7U, 200U}) {
      std::vector<std::atomic<int>> times(count);
      crew.each(count, width, [&](std::size_t i) { ++times[i]; });
      for (const auto& one : times) CHECK(one == 1);
    }
  }
}

TEST_CASE("crew: pieces are under way at once, and only as many as asked for") {
  const Crew crew(8);
  // Ends only when three of them meet.
  std::latch meet(3);
  crew.each(3, 3, [&](std::size_t) { meet.arrive_and_wait(); });
  std::atomic<int> now = 0;
  std::atomic<int> most = 0;
  crew.each(500, 3, [&](std::size_t) {
    const int here = ++now;
    int seen = most;
    while (seen < here && !most.compare_exchange_weak(seen, here)) {
    }
    --now;
  });
  CHECK(most <= 3);
}

TEST_CASE("crew: without free helpers the calling thread does it, and helpers come back") {
  const Crew none(0);
  std::set<std::thread::id> threads;
  none.each(10, 5, [&](std::size_t) { threads.insert(std::this_thread::get_id()); });
  CHECK(threads == std::set{std::this_thread::get_id()});
  const Crew one(1);
  for (int round = 0; round < 3; ++round) {
    std::latch meet(2);
    one.each(2, 9, [&](std::size_t i) {
      // Called within a piece: the only helper may be away.
      if (i == 0) one.each(4, 4, [](std::size_t) {});
      meet.arrive_and_wait();
    });
  }
}

TEST_CASE("crew: an exception ends the round and is thrown on") {
  const Crew crew(4);
  std::atomic<int> begun = 0;
  const auto work = [&](std::size_t i) {
    ++begun;
    if (i == 3) throw std::runtime_error("piece 3");
    // The others are slow: were the thread of piece 3 kept from the processor, they could else have
    // done the whole round before it throws.
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  };
  CHECK_THROWS_WITH_AS(crew.each(100000, 4, work), "piece 3", std::runtime_error);
  CHECK(begun < 100000);
  std::atomic<int> after = 0;
  crew.each(10, 4, [&](std::size_t) { ++after; });
  CHECK(after == 10);
}
