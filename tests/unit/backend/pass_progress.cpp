#include "framework/backend/pass_progress.h"

#include <apus/testing/host.h>
#include <apus/testing/temp_tree.h>
#include <doctest/doctest.h>

#include <thread>
#include <vector>

using namespace apus;

TEST_CASE("a line shows the share, the speed and what is left") {
  CHECK(progress_line(420, 1000, 12.34, 47, "partitions") ==
        "[============>                 ] 42% 420/1000 partitions, 12.3/s, 47s left");
  CHECK(progress_line(0, 10, 0, 0, "objects") ==
        "[>                             ] 0% 0/10 objects, 0.0/s, 0s left");
  CHECK(progress_line(10, 10, 1, 0, "objects") ==
        "[==============================] 100% 10/10 objects, 1.0/s, 0s left");
  CHECK(progress_line(12, 10, 1, 0, "x").starts_with("[==============================] 100%"));
  CHECK(time_left(60) == "60s");
  CHECK(time_left(3599) == "59m");
  CHECK(time_left(7300) == "2h");
  CHECK(time_left(1e300) == "1000000000000000h");
}

TEST_CASE("while a pass goes on, recon and gauges have its numbers") {
  testing::TestHost host;
  testing::TempTree tree;
  Logger& log = host.logger(Options());
  const ReconCache recon(host, log, tree.path().string(), "object");
  const auto entry = [&]() -> std::optional<Json> {
    if (!std::filesystem::exists(tree.path() / "object.recon")) return std::nullopt;
    const auto all = Json::parse(tree.read("object.recon"));
    const Json* found = all->find("object_tester_progress");
    return found == nullptr ? std::nullopt : std::optional(*found);
  };
  {
    PassProgress progress(host, &recon, "object_tester", "partitions", 30);
    progress.expect(10);
    progress.add();
    CHECK_FALSE(entry());
    host.time.sleep(std::chrono::seconds(10));
    progress.add(9);
    const auto told = entry();
    REQUIRE(told);
    CHECK(*told->find("done")->integer() == 10);
    CHECK(*told->find("total")->integer() == 40);
    CHECK(told->find("rate")->number() == 1.0);
    CHECK(told->find("eta")->number() == 30.0);
    const std::string numbers = host.numbers.prometheus_text();
    CHECK_MESSAGE(numbers.find("partitions_left 30") != std::string::npos, numbers);
    CHECK_MESSAGE(numbers.find("partitions_eta_seconds 30") != std::string::npos, numbers);
    // Not again at once.
    progress.add();
    CHECK(*entry()->find("done")->integer() == 10);
  }
  CHECK_FALSE(entry());
  CHECK(host.numbers.prometheus_text().find("partitions_left 0") != std::string::npos);
}

TEST_CASE("many threads count together") {
  testing::TestHost host;
  testing::TempTree tree;
  Logger& log = host.logger(Options());
  const ReconCache recon(host, log, tree.path().string(), "object");
  PassProgress progress(host, &recon, "object_tester", "partitions", 4001);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 1000; ++n) progress.add();
      });
    }
  }
  host.time.sleep(std::chrono::seconds(20));
  progress.add(0);
  const auto all = Json::parse(tree.read("object.recon"));
  CHECK(*all->find("object_tester_progress")->find("done")->integer() == 4000);
}
