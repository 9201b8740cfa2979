#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

#include <stdexcept>

using namespace apus;
using namespace apus::testing;

TEST_CASE("a filter is found by name and by path") {
  TestHost host;
  FakeApp app;
  for (const std::string& plugin :
       {std::string("healthcheck"), std::string(APUS_PLUGIN_DIR) + "/healthcheck.so"}) {
    const auto filter = load_filter(plugin, {}, host, app);
    Request request = make_request("GET", "/healthcheck");
    CHECK((*filter)(request).status == 200);
  }
}

TEST_CASE("what apus would refuse is refused") {
  TestHost host;
  FakeApp app;
  CHECK_THROWS_WITH_AS(load_filter("healtcheck", {}, host, app),
                       doctest::Contains("did you mean healthcheck"), std::runtime_error);
  CHECK_THROWS_WITH_AS(load_filter("healthcheck", {{"disable_pat", "x"}}, host, app),
                       doctest::Contains("did you mean disable_path"), std::runtime_error);
  CHECK_THROWS_WITH_AS(load_app("healthcheck", {}, host), doctest::Contains("kind filter"),
                       std::runtime_error);
  CHECK_THROWS_WITH_AS(load_daemon("healthcheck", {}, host), doctest::Contains("kind filter"),
                       std::runtime_error);
}

TEST_CASE("a Lint stands on both sides") {
  TestHost host;
  FunctionApp bad([](Request&) {
    Response out(200);
    out.headers.set("X-Backend-A", "1");
    return out;
  });
  const auto filter = load_filter("healthcheck", {}, host, bad);
  Request request = make_request("GET", "/");
  CHECK_THROWS_WITH_AS((*filter)(request), doctest::Contains("below healthcheck"),
                       std::logic_error);
}
