#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <apus/testing/temp_tree.h>
#include <doctest/doctest.h>

using namespace apus;
using namespace apus::testing;

namespace {

struct Limited {
  explicit Limited(OptionTexts options = {}) {
    host.conf.directory = tree.path().string();
    app.otherwise({200});
    filter = load_filter("backend_ratelimit", options, host, app);
  }
  int ask(const char* method, const char* target = "/sda1/3/a/c/o") {
    Request request = make_request(method, target);
    return (*filter)(request).status;
  }
  TempTree tree;
  TestHost host;
  FakeApp app;
  std::unique_ptr<const App> filter;
};

}  // namespace

TEST_CASE("backend_ratelimit: each device and method by itself") {
  Limited limited(
      {{"get_requests_per_device_per_second", "1"}, {"requests_per_device_rate_buffer", "0"}});
  CHECK(limited.ask("GET") == 200);
  CHECK(limited.ask("GET") == 529);
  CHECK(limited.ask("PUT") == 200);
  CHECK(limited.ask("GET", "/sdb1/3/a/c/o") == 200);
  CHECK(limited.host.numbers.counter("backend.ratelimit") == 1);
  limited.host.time.advance(std::chrono::milliseconds(1001));
  CHECK(limited.ask("GET") == 200);
  // What names no device and partition is not limited.
  for (const char* target : {"/healthcheck", "/recon/load", "/sda1/x/a", "/"})
    for (int i = 0; i < 3; ++i) CHECK(limited.ask("GET", target) == 200);
}

TEST_CASE("backend_ratelimit: all methods together, and allowance that was saved up") {
  Limited limited(
      {{"requests_per_device_per_second", "2"}, {"requests_per_device_rate_buffer", "1"}});
  limited.ask("GET");
  limited.host.time.advance(std::chrono::seconds(60));
  int good = 0;
  for (int i = 0; i < 10; ++i) good += limited.ask(i % 2 == 0 ? "GET" : "PUT") == 200 ? 1 : 0;
  CHECK(good == 3);  // two of the saved second, and the one that is due
}

TEST_CASE("backend_ratelimit: the file goes before the filter's options, and is read again") {
  Limited limited(OptionTexts{{"config_reload_interval", "10"}});
  for (int i = 0; i < 5; ++i) CHECK(limited.ask("GET") == 200);
  const auto look = [&] { limited.host.time.advance(std::chrono::seconds(11)); };
  limited.tree.write("backend-ratelimit.conf",
                     "[backend_ratelimit]\nget_requests_per_device_per_second = 0.01\n"
                     "requests_per_device_rate_buffer = 0\n");
  CHECK(limited.ask("GET") == 200);  // not looked at yet
  look();
  CHECK(limited.ask("GET") == 200);
  CHECK(limited.ask("GET") == 529);
  CHECK(limited.host.log.has("config changed"));
  for (const char* junk : {"[backend_ratelimit]\nget_requests_per_device_per_second = many\n",
                           "[other]\n", "no ini\n"}) {
    CAPTURE(junk);
    limited.host.log.clear();
    limited.tree.write("backend-ratelimit.conf", junk);
    look();
    CHECK(limited.ask("GET") == 529);
    CHECK(limited.host.log.has("config unchanged"));
  }
  limited.tree.write("backend-ratelimit.conf", "[backend_ratelimit]\n");
  look();
  for (int i = 0; i < 5; ++i) CHECK(limited.ask("GET") == 200);
}

TEST_CASE("backend_ratelimit: a file that was asked for and is not there is told") {
  Limited limited(OptionTexts{{"backend_ratelimit_conf_path", "/nowhere/x.conf"}});
  CHECK(limited.host.log.has("there is no /nowhere/x.conf"));
  Limited silent;
  CHECK(silent.host.log.lines().empty());
}
