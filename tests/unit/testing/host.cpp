#include <apus/disk.h>
#include <apus/testing/host.h>
#include <apus/testing/temp_tree.h>
#include <doctest/doctest.h>

#include <filesystem>
#include <stdexcept>

using namespace apus;
using namespace apus::testing;
using std::chrono::seconds;

TEST_CASE("the clock stands still, sleeping moves it") {
  FakeClock clock;
  const auto before = clock.steady();
  CHECK(clock.now() == FakeClock::kStart);
  CHECK(clock.now() == FakeClock::kStart);
  clock.sleep(seconds(2));
  clock.advance(seconds(3));
  CHECK(clock.now() == FakeClock::kStart + 5);
  CHECK(clock.steady() - before == seconds(5));
  CHECK(clock.slept() == seconds(2));
  clock.set(1000);
  CHECK(clock.now() == 1000);
  CHECK(clock.steady() - before == seconds(5));
}

TEST_CASE("chance repeats for a seed") {
  SeededEntropy one(7);
  SeededEntropy same(7);
  SeededEntropy other(8);
  const std::string text = one.hex(16);
  CHECK(text == same.hex(16));
  CHECK(text != other.hex(16));
  CHECK(text != one.hex(16));
}

TEST_CASE("the log keeps who said what") {
  TestHost host;
  Logger& logger = host.logger(Options("ratelimit", nullptr, 0, {}));
  logger.warning("too fast", "tx1");
  logger.debug("slower");
  const auto lines = host.log.lines();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].logger == "ratelimit");
  CHECK(lines[0].level == LogLevel::kWarning);
  CHECK(lines[0].trans_id == "tx1");
  CHECK(host.log.text() == "too fast\nslower\n");
  CHECK(host.log.has("too"));
  CHECK_FALSE(host.log.has("stop"));
  host.log.clear();
  CHECK(host.log.lines().empty());
}

TEST_CASE("numbers can be asked for") {
  TestHost host;
  host.metrics().increment("errors");
  host.metrics().increment("errors", 2);
  host.metrics().timing("GET.timing", 1.5);
  CHECK(host.numbers.counter("errors") == 3);
  CHECK(host.numbers.counter("other") == 0);
  CHECK(host.numbers.timings("GET.timing") == std::vector<double>{1.5});
  CHECK(host.metrics().prometheus_text().find("apus_errors_total 3") != std::string::npos);
}

TEST_CASE("info, cache, conf and disk are there; rings and transport when given") {
  TestHost host;
  host.info().set("slo", R"({"max": 1})");
  CHECK(host.info().document(false, {}) == R"({"slo": {"max": 1}})");
  host.cache().set("k", "1", seconds(10));
  CHECK(host.cache().get("k") == "1");
  host.time.advance(seconds(11));
  CHECK_FALSE(host.cache().get("k").has_value());
  CHECK(host.swift_conf().hash_suffix == "test");
  CHECK(&host.disk() == &real_disk());
  CHECK_THROWS_WITH_AS(host.rings(), doctest::Contains("use_rings"), std::logic_error);
  CHECK_THROWS_WITH_AS(host.transport(), doctest::Contains("use_transport"), std::logic_error);
}

TEST_CASE("a temp tree goes with all it holds") {
  std::filesystem::path path;
  {
    TempTree tree;
    path = tree.path();
    tree.write("a/b/c.txt", "hello");
    CHECK(tree.read("a/b/c.txt") == "hello");
    tree.write("empty", "");
    CHECK(tree.read("empty") == "");
    CHECK_THROWS_AS(static_cast<void>(tree.read("missing")), std::runtime_error);
  }
  CHECK_FALSE(std::filesystem::exists(path));
}
