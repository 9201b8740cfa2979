#include "framework/cache/timed_map.h"

#include <apus/testing/host.h>
#include <doctest/doctest.h>

using namespace apus;
using namespace std::chrono_literals;

namespace {

bool has(TimedMap& map, const std::string& key) {
  return map.at(key, [](TimedMap::Place& place) { return place.value() != nullptr; });
}

void put(TimedMap& map, const std::string& key, Clock::Steady end) {
  map.at(key, [&](TimedMap::Place& place) { place.put("v", end); });
}

}  // namespace

TEST_CASE("timed map: what has ended is dropped while others are put in") {
  testing::TestHost host;
  TimedMap map(host.clock(), 1'000'000);
  for (int i = 0; i < 100'000; ++i) {
    put(map, std::to_string(i), host.clock().steady() + 10ms);
    if (i % 100 == 0) host.clock().sleep(1ms);
  }
  CHECK(map.size() < 5000);  // a thousand live at a time
  CHECK(has(map, "99999"));
  CHECK_FALSE(has(map, "90000"));
}

TEST_CASE("timed map: a full one drops what ends first") {
  testing::TestHost host;
  TimedMap map(host.clock(), 1600);
  const auto now = host.clock().steady();
  for (int i = 0; i < 10'000; ++i) put(map, std::to_string(i), now + 1s * (i + 1));
  CHECK(map.size() <= 1600);
  CHECK(map.size() > 1000);
  CHECK(has(map, "9999"));
  CHECK_FALSE(has(map, "0"));
}
