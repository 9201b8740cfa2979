#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

#include <vector>

using namespace apus;
using namespace apus::testing;

namespace {

// What is left of a client's headers behind the gatekeeper.
FakeCall passed(const OptionTexts& options, Headers headers) {
  TestHost host;
  FakeApp app;
  app.otherwise({200});
  const auto filter = load_filter("gatekeeper", options, host, app);
  Request request = make_request("PUT", "/v1/a/c/o", std::move(headers));
  CHECK((*filter)(request).status == 200);
  return app.last();
}

}  // namespace

TEST_CASE("gatekeeper: names by which servers speak do not pass, in any spelling") {
  for (const char* name :
       {"X-Backend-Storage-Policy-Index", "x-backend-a", "X_BACKEND_A", "X-Account-Sysmeta-Acl",
        "x-container-sysmeta-webmode", "X-Object-Sysmeta-A", "X-Object-Transient-Sysmeta-Crypto",
        "X-Container-Host", "X-Container-Device", "X-Container-Partition", "X-Account-Host",
        "X-Delete-At-Host", "X-Delete-At-Container"}) {
    CAPTURE(name);
    const FakeCall call = passed({}, {{name, "1"}, {"X-Object-Meta-A", "kept"}});
    CHECK_FALSE(call.headers.has(name));
    CHECK_FALSE(call.internal.has(name));
    CHECK(call.headers.get("X-Object-Meta-A") == "kept");
  }
}

TEST_CASE("gatekeeper: names that only look alike pass") {
  for (const char* name : {"X-Object-Meta-Sysmeta-A", "Backend-A", "X-Account-Meta-Host", "X-A"}) {
    CAPTURE(name);
    CHECK(passed({}, {{name, "1"}}).headers.get(name) == "1");
  }
}

TEST_CASE("gatekeeper: a client's X-Timestamp is set aside, or left where the deployer says so") {
  const FakeCall aside = passed({}, {{"X-Timestamp", "1700000000.00000"}});
  CHECK_FALSE(aside.headers.has("X-Timestamp"));
  CHECK(aside.internal.get("X-Backend-Inbound-X-Timestamp") == "1700000000.00000");
  const FakeCall left =
      passed({{"shunt_inbound_x_timestamp", "false"}}, {{"X-Timestamp", "1700000000.00000"}});
  CHECK(left.headers.get("X-Timestamp") == "1700000000.00000");
  CHECK(left.internal.get("X-Timestamp") == "1700000000.00000");
  CHECK_FALSE(left.internal.has("X-Backend-Inbound-X-Timestamp"));
}

TEST_CASE("gatekeeper: reserved names only where the deployer lets clients ask for them") {
  const FakeCall refused = passed({}, {{"X-Allow-Reserved-Names", "true"}});
  CHECK(refused.headers.has("X-Allow-Reserved-Names"));
  CHECK_FALSE(refused.context.allow_reserved_names);
  const FakeCall let =
      passed({{"allow_reserved_names_header", "yes"}}, {{"X-Allow-Reserved-Names", "true"}});
  CHECK_FALSE(let.headers.has("X-Allow-Reserved-Names"));
  CHECK(let.internal.get("X-Backend-Allow-Reserved-Names") == "true");
  CHECK(let.context.allow_reserved_names);
}

TEST_CASE("gatekeeper: a Location is made relative where a filter asked for it") {
  for (const auto& [sent, shown] : std::vector<std::pair<std::string, std::string>>{
           {"http://host:80/v1/a?x=y#z", "/v1/a?x=y#z"},
           {"https://host", ""},
           {"/v1/a", "/v1/a"},
           {"//host/v1", "/v1"},
           {"http://host?x", "?x"}}) {
    const std::string& given = sent;  // a lambda takes no part of a pair (clang 14)
    CAPTURE(given);
    TestHost host;
    FakeApp app;
    app.otherwise([&](Request& request) {
      request.context.leave_relative_location = true;
      Response out(301);
      out.headers.set("Location", given);
      return out;
    });
    const auto filter = load_filter("gatekeeper", {}, host, app);
    Request request = make_request("GET", "/v1/a");
    CHECK((*filter)(request).headers.get("Location") == shown);
  }
}
