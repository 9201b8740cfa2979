#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

#include <stdexcept>

using namespace apus;
using namespace apus::testing;

namespace {

std::string answer(const OptionTexts& options, std::string_view target) {
  TestHost host;
  FakeApp app;
  app.otherwise({200, {}, "passed"});
  const auto filter = load_filter("name_check", options, host, app);
  Request request = make_request("PUT", target);
  Response response = (*filter)(request);
  return std::to_string(response.status) + " " + body_of(response);
}

}  // namespace

TEST_CASE("name_check: characters, length, pieces") {
  CHECK(answer({}, "/v1/a/c/o") == "200 passed");
  CHECK(answer({}, "/v1/a/c/o%27") ==
        "400 Object/Container/Account name contains forbidden chars from '\"`<>");
  CHECK(answer({}, "/v1/" + std::string(252, 'x')) ==
        "400 Object/Container/Account name longer than the allowed maximum 255");
  CHECK(answer({}, "/v1/" + std::string(251, 'x')) == "200 passed");
  for (const char* bad : {"/v1/a/./o", "/v1/a/../o", "/v1/a/c/.", "/v1/a/c/..", "/v1/a/%2e/o"}) {
    CAPTURE(bad);
    CHECK(answer({}, bad) ==
          "400 Object/Container/Account name contains a forbidden substring from regular "
          "expression /\\./|/\\.\\./|/\\.$|/\\.\\.$");
  }
  CHECK(answer({}, "/v1/a/c/...") == "200 passed");
}

TEST_CASE("name_check: the deployer's own rules") {
  CHECK(answer({{"forbidden_chars", "#"}}, "/v1/a'/%23").starts_with("400 "));
  CHECK(answer({{"forbidden_chars", ""}}, "/v1/a'/o") == "200 passed");
  CHECK(answer({{"forbidden_regexp", ""}}, "/v1/a/../o") == "200 passed");
  CHECK(answer({{"forbidden_regexp", "[\\x00-\\x1f]"}}, "/v1/a/%01").starts_with("400 "));
  CHECK(answer({{"forbidden_regexp", "\\xff"}}, "/v1/a/%ff").starts_with("400 "));
  CHECK_THROWS_AS(answer({{"forbidden_regexp", "("}}, "/"), std::runtime_error);
  CHECK_THROWS_AS(answer({{"forbidden_regexp", "(?=x)"}}, "/"), std::runtime_error);
  // What makes a backtracking matcher stand still for years.
  CHECK(answer({{"forbidden_regexp", "(a+)+$"}, {"maximum_length", "100000"}},
               "/v1/" + std::string(50000, 'a') + "b") == "200 passed");
}

TEST_CASE("name_check: its rules are in /info") {
  TestHost host;
  const FakeApp app;
  load_filter("name_check", {}, host, app);
  CHECK(host.info().document(false, {}).find("\"maximum_length\": 255") != std::string::npos);
}
