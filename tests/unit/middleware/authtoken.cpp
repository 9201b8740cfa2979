#include <apus/cache.h>
#include <apus/identity.h>
#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

#include <atomic>

#include "tests/unit/http/fake_host.h"

using namespace apus;
using namespace apus::testing;

namespace {

constexpr const char* kToken =
    R"({"token": {"expires_at": "2030-01-01T00:00:00.000000Z",
        "user": {"id": "u1", "name": "ann", "domain": {"id": "default", "name": "Default"}},
        "project": {"id": "p1", "name": "proj", "domain": {"id": "default", "name": "Default"}},
        "roles": [{"id": "r", "name": "admin"}, {"id": "s", "name": "service"}]}})";

// The two calls of Keystone, scripted, behind a real server on loopback.
struct Service {
  Service() : served([this](Request& request) { return answer(request); }) {}

  Response answer(Request& request) {
    if (request.method == "POST") {
      login = read_all(request.body.get(), 1U << 20U);
      ++logins;
      Response out(login_status, "{}", "application/json");
      out.headers.set("X-Subject-Token", "own" + std::to_string(logins.load()));
      return out;
    }
    ++checks;
    if (request.headers.get("X-Auth-Token") != "own" + std::to_string(logins.load()))
      return Response(401, "{}");
    const std::string token(request.headers.get("X-Subject-Token"));
    if (token == "good") return Response(200, token_json, "application/json");
    return Response(status, "{}");
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(served.server->port()); }

  std::atomic<int> logins = 0;
  std::atomic<int> checks = 0;
  int login_status = 201;
  int status = 404;
  std::string login;
  std::string token_json = kToken;
  apus::test::Served served;
};

struct Authtoken {
  explicit Authtoken(OptionTexts options = {}) {
    OptionTexts all = {
        {"auth_url", keystone.url()},  {"www_authenticate_uri", "http://public:5000"},
        {"username", "swift"},         {"password", "secret9"},
        {"project_name", "service"},   {"project_domain_id", "default"},
        {"user_domain_id", "default"}, {"delay_auth_decision", "true"}};
    for (const auto& [name, value] : options) all[name] = value;
    app.otherwise([this](Request& request) {
      seen = request.context.identity;
      return error_response(app_status);
    });
    filter = load_filter("authtoken", all, host, app);
  }
  Response ask(Headers headers) {
    Request request = make_request("GET", "/v1/AUTH_p1", std::move(headers));
    request.context.cache = &host.cache();
    return (*filter)(request);
  }

  Service keystone;
  TestHost host;
  FakeApp app;
  int app_status = 204;
  std::shared_ptr<const Identity> seen;
  std::unique_ptr<const App> filter;
};

}  // namespace

TEST_CASE("authtoken: a good token becomes an identity, asked once") {
  Authtoken a;
  for (int i = 0; i < 3; ++i) {
    CHECK(a.ask({{"X-Auth-Token", "good"}}).status == 204);
    REQUIRE(a.seen);
    CHECK(a.seen->user_id == "u1");
    CHECK(a.seen->user_name == "ann");
    CHECK(a.seen->project_id == "p1");
    CHECK(a.seen->project_domain_id == "default");
    CHECK(a.seen->roles == std::vector<std::string>{"admin", "service"});
    CHECK(a.seen->service_roles.empty());
  }
  CHECK(a.keystone.checks == 1);
  CHECK(a.keystone.login.find(R"("name": "swift")") != std::string::npos);
  CHECK(a.keystone.login.find(R"("password": "secret9")") != std::string::npos);
  CHECK(a.keystone.login.find(R"("domain": {"id": "default"})") != std::string::npos);
  a.host.time.advance(std::chrono::seconds(301));
  CHECK(a.ask({{"X-Storage-Token", "good"}}).status == 204);
  CHECK(a.keystone.checks == 2);
}

TEST_CASE(
    "authtoken: bad tokens and none are nobody's; headers of clients "
    "never count") {
  Authtoken a;
  a.app_status = 401;
  Response out = a.ask({{"X-Auth-Token", "bad"},
                        {"X-Identity-Status", "Confirmed"},
                        {"X-User-Id", "u1"},
                        {"X-Roles", "admin"}});
  CHECK(a.seen == nullptr);
  CHECK(out.headers.get("Www-Authenticate") == "Keystone uri=\"http://public:5000\"");
  a.ask({{"X-Auth-Token", "bad"}});
  CHECK(a.keystone.checks == 1);
  a.ask({});
  a.ask({{"X-Auth-Token",
          "b\x01"
          "d"}});
  CHECK(a.seen == nullptr);
  CHECK(a.keystone.checks == 1);
}

TEST_CASE("authtoken: without delay_auth_decision it refuses by itself") {
  Authtoken a(OptionTexts{{"delay_auth_decision", "false"}});
  Response out = a.ask({{"X-Auth-Token", "bad"}});
  CHECK(out.status == 401);
  CHECK(body_of(out) == "Authentication required");
  CHECK(a.app.calls().empty());
  CHECK(a.ask({{"X-Auth-Token", "good"}}).status == 204);
}

TEST_CASE("authtoken: a token that has run out, and an answer that is none") {
  Authtoken a;
  a.host.time.set(2'000'000'000);
  CHECK(a.ask({{"X-Auth-Token", "good"}}).status == 204);
  CHECK(a.seen == nullptr);
  for (const char* text :
       {"", "{}", "[]", R"({"token": {}})", R"({"token": {"user": {"id": "u"}}})",
        R"({"token": {"user": {"id": "u"}, "expires_at": "soon"}})"}) {
    Authtoken b;
    b.keystone.token_json = text;
    CAPTURE(text);
    Response out = b.ask({{"X-Auth-Token", "good"}});
    CHECK(out.status == 503);
    CHECK(body_of(out) == "The Keystone service is temporarily unavailable.");
  }
}

TEST_CASE("authtoken: it fails closed") {
  Authtoken a;
  a.keystone.login_status = 401;
  CHECK(a.ask({{"X-Auth-Token", "good"}}).status == 503);
  a.keystone.login_status = 201;
  a.keystone.status = 500;
  CHECK(a.ask({{"X-Auth-Token", "other"}}).status == 503);
  CHECK(a.app.calls().empty());
  Authtoken gone(OptionTexts{{"auth_url", "http://127.0.0.1:1"}});
  CHECK(gone.ask({{"X-Auth-Token", "good"}}).status == 503);
  CHECK(gone.ask({}).status == 204);
  CHECK(gone.seen == nullptr);
  CHECK_FALSE(a.host.log.has("secret9"));
}

TEST_CASE("authtoken: its own token is renewed when Keystone forgot it") {
  Authtoken a;
  CHECK(a.ask({{"X-Auth-Token", "good"}}).status == 204);
  ++a.keystone.logins;  // the token handed out so far is no longer the one it knows
  a.ask({{"X-Auth-Token", "another"}});
  CHECK(a.seen == nullptr);
  a.host.time.advance(std::chrono::seconds(301));
  CHECK(a.ask({{"X-Auth-Token", "good"}}).status == 204);
  CHECK(a.seen != nullptr);
}

TEST_CASE("authtoken: service tokens") {
  Authtoken a;
  CHECK(a.ask({{"X-Auth-Token", "good"}, {"X-Service-Token", "good"}}).status == 204);
  REQUIRE(a.seen);
  CHECK(a.seen->service_roles == std::vector<std::string>{"admin", "service"});
  a.ask({{"X-Auth-Token", "good"}, {"X-Service-Token", "bad"}});
  CHECK(a.seen == nullptr);
  a.ask({{"X-Auth-Token", "bad"}, {"X-Service-Token", "good"}});
  CHECK(a.seen == nullptr);
  Authtoken strict(
      OptionTexts{{"service_token_roles", "nova"}, {"service_token_roles_required", "true"}});
  strict.ask({{"X-Auth-Token", "good"}, {"X-Service-Token", "good"}});
  CHECK(strict.seen == nullptr);
}

TEST_CASE("authtoken: no token is a key or a value in the cache") {
  Authtoken a;
  a.ask({{"X-Auth-Token", "good"}});
  CHECK_FALSE(a.host.cache().get("authtoken/good"));
  CHECK_FALSE(a.host.cache().get("tokens/good"));
}

TEST_CASE("authtoken: what the conf must not say") {
  TestHost host;
  FakeApp app;
  CHECK_THROWS_WITH_AS(load_filter("authtoken", {}, host, app), doctest::Contains("auth_url"),
                       std::runtime_error);
  CHECK_THROWS_WITH_AS(
      load_filter("authtoken", {{"auth_url", "http://k"}, {"password", "password"}}, host, app),
      doctest::Contains("sample"), std::runtime_error);
}
