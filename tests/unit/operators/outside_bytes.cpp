// What tools read of other programs: /proc, command lines, Keystone's catalog.
#include <doctest/doctest.h>

#include <string>

#include "servers/apus/operators/found_processes.h"
#include "servers/apus/operators/swift_client.h"

using namespace apus;

TEST_CASE("a process is Swift's or Apus' by its first words") {
  struct Line {
    std::vector<std::string> words;
    const char* oldies;
    const char* orphans;
  };
  for (const Line& line : {
           Line{{}, "", ""},
           Line{{""}, "", ""},
           Line{{"/usr/bin/python3"}, "", ""},
           Line{{"/usr/bin/python3", "/usr/bin/swift-x", "c f"}, "x c f", "x c f"},
           Line{{"/bin/python3", "/usr/bin/swift-x"}, "x", ""},
           Line{{"/usr/bin/python2", "/usr/local/bin/swift-x"}, "", "x"},
           Line{{"/usr/bin/python3", "/tmp/swift-x"}, "", ""},
           Line{{"/usr/bin/python3", "-c", "swift-x"}, "", ""},
           Line{{"/opt/bin/swift-object-server", "conf"},
                "object-server conf",
                "object-server conf"},
           Line{{"/opt/bin/apus", "serve", "conf"}, "apus serve conf", ""},
           Line{{"apus"}, "", ""},
       }) {
    CHECK(shown_command(line.words, Interpreters::kOldies) == line.oldies);
    CHECK(shown_command(line.words, Interpreters::kOrphans) == line.orphans);
  }
}

TEST_CASE("/proc/PID/stat is read behind the name, whatever that holds") {
  int parent = 0;
  std::uint64_t start = 0;
  const std::string rest = " S 7 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123456 1 2";
  for (const std::string name : {"sh", "a) S 9 (b", ") ) )", ""}) {
    CHECK(parse_stat("42 (" + name + ")" + rest, parent, start));
    CHECK(parent == 7);
    CHECK(start == 123456);
  }
  for (const std::string text : {"", ")", "42 (x) S 7", "42 x S 7 7 7",
                                 "42 (x) S -7 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 1 1",
                                 "42 (x) S 7 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 soon 1"})
    CHECK_FALSE(parse_stat(text, parent, start));
}

TEST_CASE("a process ends in steps, and holds what it has until the last") {
  const auto stat = [](const char* state, const char* flags, const char* threads) {
    return "42 (x) y) " + std::string(state) + " 7 7 7 0 -1 " + flags + " 1 2 3 4 5 6 7 8 20 0 " +
           threads + " 0 1 1";
  };
  CHECK(holds_on(stat("S", "4194560", "1")));
  CHECK_FALSE(holds_on(stat("S", "2129984", "1")));  // a thread of the kernel
  CHECK(holds_on(stat("R", "4194564", "1")));
  CHECK(holds_on(stat("Z", "4194564", "3")));
  CHECK_FALSE(holds_on(stat("Z", "4194564", "1")));
  for (const char* text :
       {"", ")", "42 (x) Z 7 7", "42 (x) R 7 7 7 0 -1 flags 1 2 3 4 5 6 7 8 9 0 1"})
    CHECK_FALSE(holds_on(text));
}

TEST_CASE("Keystone's catalog gives the endpoint of the region, or says that there is none") {
  const std::string answer = R"({"token": {"catalog": [
      {"type": "identity", "endpoints": [{"interface": "public", "region": "one", "url": "http://no"}]},
      {"type": "object-store", "endpoints": [
        {"interface": "internal", "region": "one", "url": "http://in"},
        {"interface": "public", "region": "one", "url": "http://1"},
        {"interface": "public", "region_id": "two", "url": "http://2"}]}]}})";
  CHECK(endpoint_of(answer, "public", "") == "http://1");
  CHECK(endpoint_of(answer, "public", "two") == "http://2");
  CHECK(endpoint_of(answer, "internal", "one") == "http://in");
  CHECK_THROWS_AS(endpoint_of(answer, "public", "three"), std::runtime_error);
  for (
      const char* text :
      {"", "null", "[]", R"({"token": 7})", R"({"token": {"catalog": {}}})",
       R"({"token": {"catalog": [null, 7, {"type": "object-store", "endpoints": 1}]}})",
       R"({"token": {"catalog": [{"type": "object-store", "endpoints": [{"interface": "public", "url": 1}]}]}})"})
    CHECK_THROWS_AS(endpoint_of(text, "public", ""), std::runtime_error);
}
