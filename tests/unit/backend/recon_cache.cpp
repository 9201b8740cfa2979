// Numbers of daemons in one file that several of them write.
#include "framework/backend/recon_cache.h"

#include <apus/testing/host.h>
#include <apus/testing/temp_tree.h>
#include <doctest/doctest.h>

#include <filesystem>
#include <thread>
#include <vector>

namespace apus::test {
namespace {

struct Dumped {
  void dump(std::string_view entry) { cache.dump(*Json::parse(entry)); }
  [[nodiscard]] std::string text() const { return tree.read("object.recon"); }
  testing::TestHost host;
  testing::TempTree tree;
  ReconCache cache{host, host.logger(Options()), tree.path().string(), "object"};
};

TEST_CASE_FIXTURE(Dumped, "members are merged by one level, empty ones take away") {
  dump(R"({"b": 1, "a": {"x": 1, "y": {"z": 2}}})");
  CHECK(text() == "{\"a\": {\"x\": 1, \"y\": {\"z\": 2}}, \"b\": 1}\n");
  dump(R"({"a": {"y": {"w": 3}}, "c": null})");
  CHECK(text() == "{\"a\": {\"x\": 1, \"y\": {\"w\": 3}}, \"b\": 1, \"c\": null}\n");
  dump(R"({"a": {"y": {}}})");
  CHECK(text() == "{\"a\": {\"x\": 1}, \"b\": 1, \"c\": null}\n");
  dump(R"({"a": {}, "b": {"n": 1}})");
  CHECK(text() == "{\"b\": {\"n\": 1}, \"c\": null}\n");
}

TEST_CASE_FIXTURE(Dumped, "what is no such file is begun anew, a folder that is gone is told") {
  tree.write("object.recon", "no json");
  dump(R"({"a": 1})");
  CHECK(text() == "{\"a\": 1}\n");
  std::filesystem::remove_all(tree.path());
  dump(R"({"a": 1})");
  CHECK(host.log.has("Exception dumping recon cache: "));
}

TEST_CASE_FIXTURE(Dumped, "no writer takes away what another wrote") {
  std::vector<std::jthread> writers;
  for (int i = 0; i < 2; ++i) {
    writers.emplace_back([this, i] {
      for (int n = 0; n < 5; ++n)
        dump("{\"k" + std::to_string(i) + "_" + std::to_string(n) + "\": 1}");
    });
  }
  writers.clear();
  CHECK(Json::parse(text())->object()->size() == 10);
}

}  // namespace
}  // namespace apus::test
