#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <apus/testing/temp_tree.h>
#include <doctest/doctest.h>

#include <filesystem>

using namespace apus;
using namespace apus::testing;

namespace {

// One healthcheck in front of an app that answers 202 to everything.
struct Healthcheck {
  explicit Healthcheck(const OptionTexts& options = {})
      : filter(load_filter("healthcheck", options, host, app)) {
    app.otherwise({202});
  }
  Response ask(std::string method, std::string_view target) {
    Request request = make_request(std::move(method), target);
    return (*filter)(request);
  }

  TestHost host;
  FakeApp app;
  std::unique_ptr<const App> filter;
};

}  // namespace

TEST_CASE("healthcheck: its page says OK") {
  Healthcheck check;
  Response response = check.ask("GET", "/healthcheck");
  CHECK(response.status == 200);
  CHECK(response.headers.get("Content-Type") == "text/plain");
  CHECK(body_of(response) == "OK");
  CHECK(check.ask("HEAD", "/healthcheck").content_length == 2);
  CHECK(check.app.calls().empty());
}

TEST_CASE("healthcheck: everything else passes") {
  Healthcheck check;
  for (const char* target : {"/", "/v1/a/healthcheck", "/healthcheck/", "/Healthcheck"}) {
    CAPTURE(target);
    CHECK(check.ask("GET", target).status == 202);
  }
  CHECK(check.app.calls().size() == 4);
}

TEST_CASE("healthcheck: the deployer's file takes the server out of service") {
  TempTree tree;
  Healthcheck check(OptionTexts{{"disable_path", (tree.path() / "down").string()}});
  CHECK(check.ask("GET", "/healthcheck").status == 200);
  const auto file = tree.write("down", "");
  Response response = check.ask("GET", "/healthcheck");
  CHECK(response.status == 503);
  CHECK(body_of(response) == "DISABLED BY FILE");
  std::filesystem::remove(file);
  CHECK(check.ask("GET", "/healthcheck").status == 200);
}
