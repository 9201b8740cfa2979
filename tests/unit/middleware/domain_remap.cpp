#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

using namespace apus;
using namespace apus::testing;

namespace {

// The path that reaches the app, or the refusal.
std::string remapped(const OptionTexts& options, const char* host_header, const char* target) {
  TestHost host;
  FakeApp app;
  app.otherwise([](Request& request) { return Response(200, request.path); });
  const auto filter = load_filter("domain_remap", options, host, app);
  Request request = make_request("GET", target, {{"Host", host_header}});
  Response response = (*filter)(request);
  return body_of(response);
}

}  // namespace

TEST_CASE("domain_remap: container and account of a Host") {
  CHECK(remapped({}, "c.AUTH_a.example.com", "/o/p") == "/v1/AUTH_a/c/o/p");
  CHECK(remapped({}, "auth-a.example.com:80", "/c/o") == "/v1/AUTH_a/c/o");
  CHECK(remapped({}, "AUTH_a.example.com", "/") == "/v1/AUTH_a/");
  CHECK(remapped({}, "a.b.c.example.com", "/o") == "Bad domain in host header");
  CHECK(remapped({}, "c.AUTH_a.example.com", "/v1/o") == "/v1/AUTH_a/c/v1/o");
  CHECK(remapped({{"mangle_client_paths", "yes"}}, "c.AUTH_a.example.com", "/v1/o") ==
        "/v1/AUTH_a/c/o");
  CHECK(remapped({{"mangle_client_paths", "yes"}}, "c.AUTH_a.example.com", "/v1") ==
        "/v1/AUTH_a/c/");
}

TEST_CASE("domain_remap: hosts that are none of its own pass") {
  for (const char* host : {"example.com", "xexample.com", "x.example.com", "c.b.org", "", ":80"}) {
    CAPTURE(host);
    CHECK(remapped({}, host, "/v1/o") == "/v1/o");
  }
  CHECK(remapped({{"storage_domain", ""}}, "c.AUTH_a.example.com", "/o") == "/o");
}

TEST_CASE("domain_remap: reseller prefixes") {
  CHECK(remapped({{"default_reseller_prefix", "AUTH"}}, "x.example.com", "/o") == "/v1/AUTH_x/o");
  CHECK(remapped({{"reseller_prefixes", ""}}, "auth-a.example.com", "/o") == "/v1/auth-a/o");
  CHECK(remapped({{"reseller_prefixes", "AUTH, PRE"}}, "c.pre-a.example.com", "/o") ==
        "/v1/PRE_a/c/o");
  CHECK(remapped({{"storage_domain", ".foo.com, bar.com"}}, "c.AUTH_a.foo.com", "/o") ==
        "/v1/AUTH_a/c/o");
}

TEST_CASE("domain_remap: a Location is told as the client knows it") {
  TestHost host;
  FakeApp app;
  std::string location;
  app.otherwise([&](Request&) {
    Response out(301);
    out.headers.set("Location", location);
    return out;
  });
  const auto filter = load_filter("domain_remap", {}, host, app);
  const auto ask = [&](const char* value) {
    location = value;
    Request request = make_request("GET", "/d%20d", {{"Host", "c.AUTH_a.example.com"}});
    return std::string((*filter)(request).headers.get("Location"));
  };
  CHECK(ask("http://h/v1/AUTH_a/c/d%20d/") == "http://h/d%20d/");
  CHECK(ask("/v1/AUTH_a/c/d%20d/") == "/d%20d/");
  CHECK(ask("http://h/elsewhere") == "http://h/elsewhere");
  CHECK(ask("http://h") == "http://h");
}
