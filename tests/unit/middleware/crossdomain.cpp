#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

using namespace apus;
using namespace apus::testing;

TEST_CASE("crossdomain: the policy page for GET, everything else passes") {
  TestHost host;
  FakeApp app;
  app.otherwise({200, {}, "x"});
  const auto filter = load_filter(
      "crossdomain", {{"cross_domain_policy", "<allow-access-from domain=\"a.b\" />"}}, host, app);
  Request get = make_request("GET", "/crossdomain.xml");
  Response page = (*filter)(get);
  CHECK(page.status == 200);
  CHECK(page.headers.get("Content-Type") == "application/xml");
  CHECK(body_of(page) ==
        "<?xml version=\"1.0\"?>\n<!DOCTYPE cross-domain-policy SYSTEM "
        "\"http://www.adobe.com/xml/dtds/cross-domain-policy.dtd\" >\n<cross-domain-policy>\n"
        "<allow-access-from domain=\"a.b\" />\n</cross-domain-policy>");
  CHECK(app.calls().empty());
  for (const char* method : {"HEAD", "PUT"}) {
    Request other = make_request(method, "/crossdomain.xml");
    CHECK((*filter)(other).status == 200);
    CHECK(app.last().method == method);
  }
  CHECK(host.info().document(false, {}).find("\"crossdomain\": {}") != std::string::npos);
}
