#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

using namespace apus;
using namespace apus::testing;

TEST_CASE("metrics: what the process counted, for GET and HEAD alone") {
  TestHost host;
  FakeApp app;
  app.otherwise({404});
  const auto filter = load_filter("metrics", {}, host, app);
  host.metrics().increment("errors", 3);
  Request get = make_request("GET", "/metrics");
  Response page = (*filter)(get);
  CHECK(page.status == 200);
  CHECK(page.headers.get("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(body_of(page).find("errors_total 3\n") != std::string::npos);
  Request put = make_request("PUT", "/metrics");
  CHECK((*filter)(put).status == 405);
  Request other = make_request("GET", "/metrics/x");
  CHECK((*filter)(other).status == 404);
}
