#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

using namespace apus;
using namespace apus::testing;

namespace {

struct ReadOnly {
  explicit ReadOnly(const OptionTexts& options)
      : filter(load_filter("read_only", options, host, app)) {
    app.otherwise({201});
    account("/v1/a", "");
    account("/v1/open", "false");
    account("/v1/shut", "true");
  }
  void account(const char* path, const char* mark) {
    app.on("HEAD", path, FakeAnswer{204, {}, "", {{"X-Account-Sysmeta-Read-Only", mark}}});
  }
  int ask(const char* method, const char* target, Headers headers = {}) {
    Request request = make_request(method, target, std::move(headers));
    return (*filter)(request).status;
  }
  TestHost host;
  FakeApp app;
  std::unique_ptr<const App> filter;
};

}  // namespace

TEST_CASE("read_only: the cluster, and accounts that say otherwise") {
  ReadOnly shut(OptionTexts{{"read_only", "yes"}});
  for (const char* method : {"PUT", "POST", "DELETE", "COPY"})
    CHECK(shut.ask(method, "/v1/a/c") == 405);
  CHECK(shut.ask("GET", "/v1/a/c") == 201);
  CHECK(shut.ask("PUT", "/v1/open/c/o") == 201);
  CHECK(shut.ask("COPY", "/v1/open/c/o", {{"Destination-Account", "a"}}) == 405);
  CHECK(shut.ask("COPY", "/v1/open/c/o", {{"Destination-Account", "a/b"}}) == 412);
  CHECK(shut.ask("PUT", "/v9/a/c") == 201);
  CHECK(shut.ask("PUT", "/healthcheck") == 201);
  ReadOnly open({});
  CHECK(open.ask("PUT", "/v1/a/c") == 201);
  CHECK(open.ask("PUT", "/v1/shut/c") == 405);
  CHECK(open.ask("DELETE", "/v1/shut/c") == 405);
  ReadOnly deletes(OptionTexts{{"read_only", "yes"}, {"allow_deletes", "yes"}});
  CHECK(deletes.ask("DELETE", "/v1/a/c") == 201);
}
