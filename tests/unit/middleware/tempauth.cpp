#include <apus/cache.h>
#include <apus/digest.h>
#include <apus/json.h>
#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

using namespace apus;
using namespace apus::testing;

namespace {

// A proxy's way: the app asks the authorize hook, with the ACL a test gives the container.
struct Pipeline {
  explicit Pipeline(OptionTexts options = {}) {
    OptionTexts all = {
        {"user_test_tester", "key1 .admin"},          {"user_test_plain", "key2"},
        {"user_other_admin", "key3 .admin"},          {"user_op_reseller", "key4 .reseller_admin"},
        {"user_op_auditor", "key5 .reseller_reader"}, {"user_glance_service", "key6 .service"}};
    for (const auto& [name, value] : options) all[name] = value;
    app.otherwise([this](Request& request) -> Response {
      if (request.context.source == "TA") {
        Response out(204);
        if (!account_acl.empty())
          out.internal.set("X-Account-Sysmeta-Core-Access-Control", account_acl);
        return out;
      }
      request.context.acl = acl;
      request.context.sync_key = sync_key;
      if (request.context.authorize) {
        if (auto refusal = request.context.authorize(request)) return std::move(*refusal);
      }
      owner = request.context.swift_owner;
      reseller = request.context.reseller_request;
      seen = request.headers;
      seen_internal = request.internal;
      return Response(204);
    });
    filter = load_filter("tempauth", all, host, app);
  }

  Response ask(Request request) {
    request.context.cache = &host.cache();
    return (*filter)(request);
  }
  Response auth(Headers headers, std::string path = "/auth/v1.0", std::string method = "GET") {
    return ask(make_request(std::move(method), path, std::move(headers)));
  }
  std::string token(const std::string& user, const std::string& key) {
    Response out = auth({{"X-Auth-User", user}, {"X-Auth-Key", key}});
    REQUIRE(out.status == 200);
    return std::string(out.headers.get("X-Auth-Token"));
  }
  int status(std::string method, std::string path, const std::string& tok = "",
             Headers headers = {}) {
    if (!tok.empty()) headers.set("X-Auth-Token", tok);
    return ask(make_request(std::move(method), path, std::move(headers))).status;
  }

  TestHost host;
  FakeApp app;
  std::string acl;
  std::string sync_key;
  std::string account_acl;
  bool owner = false;
  bool reseller = false;
  Headers seen;
  Headers seen_internal;
  std::unique_ptr<const App> filter;
};

}  // namespace

TEST_CASE("tempauth: gives tokens by all three forms, and the same one again") {
  Pipeline p;
  Response out = p.auth({{"X-Auth-User", "test:tester"}, {"X-Auth-Key", "key1"}, {"Host", "h:80"}});
  CHECK(out.status == 200);
  const std::string token(out.headers.get("X-Auth-Token"));
  CHECK(token.starts_with("AUTH_tk"));
  CHECK(token.size() == 39);
  CHECK(out.headers.get("X-Storage-Token") == token);
  CHECK(out.headers.get("X-Auth-Token-Expires") == "86400");
  CHECK(out.headers.get("X-Storage-Url") == "http://h/v1/AUTH_test");
  CHECK(out.headers.get("Content-Type") == "text/html; charset=UTF-8");
  CHECK(out.content_length == 0);
  p.host.time.advance(std::chrono::seconds(100));
  out = p.auth({{"X-Storage-User", "test:tester"}, {"X-Storage-Pass", "key1"}}, "/auth/auth");
  CHECK(out.headers.get("X-Auth-Token") == token);
  CHECK(out.headers.get("X-Auth-Token-Expires") == "86300");
  out = p.auth({{"X-Storage-User", "tester"}, {"X-Storage-Pass", "key1"}}, "/auth/v1/test/auth");
  CHECK(out.headers.get("X-Auth-Token") == token);
  p.host.time.advance(std::chrono::seconds(86400));
  CHECK(p.token("test:tester", "key1") != token);
  CHECK(p.status("GET", "/v1/AUTH_test/c", token) == 401);
}

TEST_CASE("tempauth: its values in the cache are Swift's") {
  Pipeline p;
  const std::string token = p.token("test:tester", "key1");
  CHECK(p.host.cache().get("AUTH_/token/" + token) ==
        "[1700086400.0, \"test,test:tester,AUTH_test\"]");
  CHECK(p.host.cache().get("AUTH_/user/test:tester") == "\"" + token + "\"");
  p.host.cache().set("AUTH_/token/AUTH_tkother", "[1700000100.5, \"test,test:x,AUTH_test\"]",
                     std::chrono::seconds(0));
  CHECK(p.status("GET", "/v1/AUTH_test", "AUTH_tkother") == 204);
}

TEST_CASE("tempauth: a damaged value in the cache is no token") {
  Pipeline p;
  for (const char* text : {"", "[]", "[1]", "{}", "[\"x\", \"test\"]", "[1e300, 5]", "[9e9, \"\"]",
                           "null", "[1700000100, \"a\", 3]", "[[[["}) {
    CAPTURE(text);
    p.host.cache().set("AUTH_/token/AUTH_tkbad", text, std::chrono::seconds(0));
    CHECK(p.status("GET", "/v1/AUTH_test", "AUTH_tkbad") == 401);
    p.host.cache().set("AUTH_/user/test:tester", text, std::chrono::seconds(0));
    CHECK(p.auth({{"X-Auth-User", "test:tester"}, {"X-Auth-Key", "key1"}}).status == 200);
  }
}

TEST_CASE("tempauth: wrong names and keys get 401, wrong verbs 405, wrong paths 400 and 404") {
  Pipeline p;
  const auto refused = [&](Headers headers, const char* path = "/auth/v1.0") {
    Response out = p.auth(std::move(headers), path);
    CHECK(out.headers.get("Www-Authenticate").starts_with("Swift realm=\""));
    return out.status;
  };
  CHECK(refused({}) == 401);
  CHECK(refused({{"X-Auth-User", "test:tester"}}) == 401);
  CHECK(refused({{"X-Auth-User", "test:tester"}, {"X-Auth-Key", "key2"}}) == 401);
  CHECK(refused({{"X-Auth-User", "tester"}, {"X-Auth-Key", "key1"}}) == 401);
  CHECK(refused({{"X-Auth-User", "test:nobody"}, {"X-Auth-Key", "key1"}}) == 401);
  CHECK(refused({{"X-Auth-User", "a:tester"}, {"X-Auth-Key", "key1"}}, "/auth/v1/test/auth") ==
        401);
  CHECK(p.auth({}, "/auth/v1.0", "POST").status == 405);
  Response head = p.auth({}, "/auth/v1.0", "HEAD");
  CHECK(head.status == 405);
  CHECK(body_of(head).empty());
  CHECK(p.auth({}, "/auth/").status == 404);
  CHECK(p.auth({}, "/auth//v1.0").status == 404);
  CHECK(p.auth({}, "/auth/v2.0").status == 400);
  CHECK(p.auth({}, "/auth/v1/test").status == 400);
  CHECK(p.auth({}, "/auth/v1").status == 400);
}

TEST_CASE("tempauth: an unknown user is told the same as a wrong key") {
  Pipeline p;
  Response unknown = p.auth({{"X-Auth-User", "test:nobody"}, {"X-Auth-Key", "x"}});
  Response wrong = p.auth({{"X-Auth-User", "test:tester"}, {"X-Auth-Key", "x"}});
  CHECK(unknown.headers.get("Www-Authenticate") == wrong.headers.get("Www-Authenticate"));
  CHECK(body_of(unknown) == body_of(wrong));
}

TEST_CASE("tempauth: the owner's account, others', and nobody's") {
  Pipeline p;
  const std::string admin = p.token("test:tester", "key1");
  CHECK(p.status("GET", "/v1/AUTH_test", admin) == 204);
  CHECK(p.owner);
  CHECK(p.status("PUT", "/v1/AUTH_test/c", admin) == 204);
  CHECK(p.status("PUT", "/v1/AUTH_test", admin) == 403);
  CHECK(p.status("DELETE", "/v1/AUTH_test", admin) == 403);
  CHECK(p.status("GET", "/v1/AUTH_other", admin) == 403);
  CHECK(p.status("GET", "/v1/OTHER_test", admin) == 403);
  CHECK(p.status("GET", "/v1/AUTH_test", p.token("test:plain", "key2")) == 403);
  CHECK(p.status("GET", "/v1/AUTH_test/c") == 401);
  CHECK(p.status("OPTIONS", "/v1/AUTH_test/c") == 204);
  CHECK(p.status("GET", "/v1/AUTH_test/c", "AUTH_tkforged") == 401);
  CHECK(p.status("GET", "/v1/AUTH_test/c", "other") == 401);
  Response out = p.ask(make_request("GET", "/v1/AUTH_test%22%0d%0aX:%20y/c"));
  CHECK(out.headers.get("Www-Authenticate") == "Swift realm=\"AUTH_test%22%0D%0AX%3A%20y\"");
  CHECK(p.host.numbers.counter("tempauth.AUTH_.forbidden") > 0);
  CHECK(p.host.numbers.counter("tempauth.AUTH_.unauthorized") > 0);
}

TEST_CASE("tempauth: resellers reach every account but the cluster's own") {
  Pipeline p;
  const std::string reseller = p.token("op:reseller", "key4");
  CHECK(p.status("DELETE", "/v1/AUTH_test", reseller) == 204);
  CHECK(p.owner);
  CHECK(p.reseller);
  CHECK(p.status("GET", "/v1/AUTH_.expiring", reseller) == 403);
  CHECK(p.status("GET", "/v1/AUTH_", reseller) == 403);
  const std::string reader = p.token("op:auditor", "key5");
  CHECK(p.status("GET", "/v1/AUTH_test/c/o", reader) == 204);
  CHECK_FALSE(p.owner);
  CHECK(p.status("HEAD", "/v1/AUTH_test", reader) == 204);
  CHECK(p.status("PUT", "/v1/AUTH_test/c/o", reader) == 403);
  CHECK(p.status("GET", "/v1/AUTH_.expiring", reader) == 403);
}

TEST_CASE("tempauth: container ACLs: groups, referrers, listings") {
  Pipeline p;
  const std::string other = p.token("other:admin", "key3");
  p.acl = "other:admin";
  CHECK(p.status("GET", "/v1/AUTH_test/c/o", other) == 204);
  CHECK_FALSE(p.owner);
  p.acl = "other";
  CHECK(p.status("GET", "/v1/AUTH_test/c", other) == 204);
  p.acl = "somebody,else";
  CHECK(p.status("GET", "/v1/AUTH_test/c", other) == 403);
  p.acl = ".r:*";
  CHECK(p.status("GET", "/v1/AUTH_test/c/o") == 204);
  CHECK(p.status("GET", "/v1/AUTH_test/c") == 401);
  p.acl = ".r:*,.rlistings";
  CHECK(p.status("GET", "/v1/AUTH_test/c") == 204);
  p.acl = ".r:*,.r:-.thief.com";
  CHECK(p.status("GET", "/v1/AUTH_test/c/o", "", {{"Referer", "http://a.thief.com/x"}}) == 401);
  CHECK(p.status("GET", "/v1/AUTH_test/c/o", "", {{"Referer", "http://good.com/"}}) == 204);
  p.acl = ".r:.example.com";
  CHECK(p.status("GET", "/v1/AUTH_test/c/o") == 401);
  CHECK(p.status("GET", "/v1/AUTH_test/c/o", "", {{"Referer", "https://u@A.Example.com:8/"}}) ==
        204);
  CHECK(p.status("GET", "/v1/AUTH_test/c/o", "", {{"Referer", "http://example.com.evil/"}}) == 401);
}

TEST_CASE("tempauth: ACLs are stored clean, and malformed ones refused") {
  Pipeline p;
  const std::string admin = p.token("test:tester", "key1");
  CHECK(p.status("PUT", "/v1/AUTH_test/c", admin,
                 {{"X-Container-Read", " .referrer : *.example.com , bob,,.rlistings"}}) == 204);
  CHECK(p.seen.get("X-Container-Read") == ".r:.example.com,bob,.rlistings");
  Response out = p.ask(make_request("POST", "/v1/AUTH_test/c",
                                    {{"X-Auth-Token", admin}, {"X-Container-Write", ".r:*"}}));
  CHECK(out.status == 400);
  CHECK(body_of(out) == "Referrers not allowed in write ACL: '.r:*'");
  out = p.ask(make_request("PUT", "/v1/AUTH_test/c",
                           {{"X-Auth-Token", admin}, {"X-Container-Read", ".x:y"}}));
  CHECK(body_of(out) == "Unknown designator '.x' in ACL: '.x:y'");
  out = p.ask(make_request("PUT", "/v1/AUTH_test/c",
                           {{"X-Auth-Token", admin}, {"X-Container-Read", ".r:-"}}));
  CHECK(body_of(out) == "No host/domain value after referrer designation in ACL: '.r:-'");
}

TEST_CASE("tempauth: account ACLs: admin, read-write, read-only") {
  Pipeline p;
  const std::string other = p.token("other:admin", "key3");
  CHECK(p.status("GET", "/v1/AUTH_test", other) == 403);
  p.account_acl = R"({"read-only":["other:admin"]})";
  // What the cache knows of the account goes stale by itself.
  const auto later = [&] { p.host.time.advance(std::chrono::seconds(61)); };
  later();
  CHECK(p.status("GET", "/v1/AUTH_test/c/o", other) == 204);
  CHECK(p.status("PUT", "/v1/AUTH_test/c/o", other) == 403);
  p.account_acl = R"({"read-write":["other"]})";
  later();
  CHECK(p.status("PUT", "/v1/AUTH_test/c/o", other) == 204);
  CHECK(p.status("GET", "/v1/AUTH_test", other) == 204);
  CHECK(p.status("POST", "/v1/AUTH_test", other) == 403);
  CHECK_FALSE(p.owner);
  p.account_acl = R"({"admin":["other:admin"]})";
  later();
  CHECK(p.status("POST", "/v1/AUTH_test", other) == 204);
  CHECK(p.owner);
  p.account_acl = "not json";
  later();
  CHECK(p.status("GET", "/v1/AUTH_test", other) == 403);
  CHECK(p.status("GET", "/v1/AUTH_test/c") == 401);
}

TEST_CASE(
    "tempauth: X-Account-Access-Control becomes an internal fact, or a 400 in Swift's words") {
  Pipeline p;
  const std::string admin = p.token("test:tester", "key1");
  const auto post = [&](const std::string& acl) {
    return p.ask(make_request("POST", "/v1/AUTH_test",
                              {{"X-Auth-Token", admin}, {"X-Account-Access-Control", acl}}));
  };
  CHECK(post(R"({"admin":["a"]})").status == 204);
  CHECK(p.seen_internal.get("X-Account-Sysmeta-Core-Access-Control") == R"({"admin":["a"]})");
  CHECK_FALSE(p.seen.has("X-Account-Access-Control"));
  CHECK(post("").status == 204);
  CHECK(p.seen_internal.find("X-Account-Sysmeta-Core-Access-Control") != nullptr);
  const auto body = [&](const std::string& acl) {
    Response out = post(acl);
    CHECK(out.status == 400);
    CHECK(out.headers.get("Content-Type") == "text/plain; charset=UTF-8");
    return body_of(out);
  };
  const std::string start = "X-Account-Access-Control invalid: ";
  CHECK(body("[1]") == start + "Syntax error in input ('[1]')\n\nInput: [1]\n");
  CHECK(body("{") == start + "Syntax error in input ('{')\n\nInput: {\n");
  CHECK(body(R"({"x":[]})") == start + "Key \"x\" not recognized\n\nInput: {\"x\":[]}\n");
  CHECK(body(R"({"admin":"a"})").starts_with(start + "Value for key \"admin\" must be a list\n"));
  CHECK(
      body(R"({"admin":[1]})").starts_with(start + "Elements of \"admin\" list must be strings\n"));
  CHECK(post(std::string(200, '[')).status == 400);
}

TEST_CASE("tempauth: service accounts want a service's token beside the user's") {
  Pipeline p(
      OptionTexts{{"reseller_prefix", "AUTH, SERVICE"}, {"SERVICE_require_group", ".service"}});
  const std::string user = p.token("test:tester", "key1");
  const std::string service = p.token("glance:service", "key6");
  CHECK(p.status("GET", "/v1/AUTH_test", user) == 204);
  CHECK(p.status("GET", "/v1/SERVICE_test", user) == 403);
  CHECK(p.status("GET", "/v1/SERVICE_test", user, {{"X-Service-Token", service}}) == 204);
  CHECK(p.status("GET", "/v1/SERVICE_test", service, {{"X-Service-Token", user}}) == 204);
  CHECK(p.status("GET", "/v1/SERVICE_other", user, {{"X-Service-Token", service}}) == 403);
  CHECK(p.status("GET", "/v1/SERVICE_test", user, {{"X-Service-Token", "AUTH_tkno"}}) == 403);
  CHECK(p.status("GET", "/v1/SERVICE_test") == 401);
}

TEST_CASE("tempauth: an empty reseller prefix leaves to others what they answer for") {
  Pipeline p(OptionTexts{{"reseller_prefix", "''"}});
  const std::string user = p.token("test:tester", "key1");
  CHECK(user.starts_with("tk"));
  CHECK(p.status("GET", "/v1/test", user) == 204);
  CHECK(p.status("GET", "/v1/test", "tkforged") == 401);
  CHECK(p.status("GET", "/v1/test") == 401);
}

TEST_CASE("tempauth: another filter's authorize hook stays; an override needs allow_overrides") {
  for (const bool allowed : {true, false}) {
    CAPTURE(allowed);
    Pipeline p(OptionTexts{{"allow_overrides", allowed ? "true" : "false"}});
    Request request = make_request("GET", "/v1/AUTH_test/c/o");
    request.context.authorize_override = true;
    CHECK(p.ask(std::move(request)).status == (allowed ? 204 : 401));
  }
  Pipeline p;
  int asked = 0;
  Request other = make_request("GET", "/v1/KEY_test/c/o");
  other.context.authorize = [&](Request&) -> std::optional<Response> {
    ++asked;
    return std::nullopt;
  };
  CHECK(p.ask(std::move(other)).status == 204);
  CHECK(asked == 1);
  Request own = make_request("GET", "/v1/AUTH_test/c/o");
  own.context.authorize = [&](Request&) { return std::optional<Response>(); };
  CHECK(p.ask(std::move(own)).status == 401);
}

TEST_CASE("tempauth: a container's twin passes with the sync key") {
  Pipeline p;
  p.sync_key = "sesame";
  const auto put = [&](const char* key, bool stamp) {
    Request request = make_request("PUT", "/v1/AUTH_test/c/o", {{"X-Container-Sync-Key", key}}, "");
    if (stamp) request.headers.set("X-Timestamp", "1700000000.00000");
    return p.ask(std::move(request)).status;
  };
  CHECK(put("sesame", true) == 204);
  CHECK(put("sesame", false) == 401);
  CHECK(put("other", true) == 401);
  p.sync_key = "";
  CHECK(put("", true) == 401);
}

TEST_CASE("tempauth: users in base64, own URLs, storage_url_scheme, another auth_prefix") {
  Pipeline p(OptionTexts{{"user64_YWNj_dXNlcg", "key9 .admin"},
                         {"user_own_url", "key8 https://$HOST/v1/special"},
                         {"auth_prefix", "login"},
                         {"storage_url_scheme", "https"}});
  const auto url = [&](const char* user, const char* key) {
    Response out =
        p.auth({{"X-Auth-User", user}, {"X-Auth-Key", key}, {"Host", "h"}}, "/login/v1.0");
    return std::string(out.headers.get("X-Storage-Url"));
  };
  CHECK(url("test:tester", "key1") == "https://h/v1/AUTH_test");
  CHECK(p.ask(make_request("GET", "/auth/v1.0")).status == 401);
}

TEST_CASE("tempauth: what the conf must not say") {
  const auto why = [](OptionTexts options) -> std::string {
    TestHost host;
    FakeApp app;
    try {
      load_filter("tempauth", options, host, app);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  };
  CHECK(why({{"user_test_tester", "testing .admin"}}).find("allow_sample_keys") !=
        std::string::npos);
  CHECK(why({{"user_test_tester", "testing .admin"}, {"allow_sample_keys", "yes"}}).empty());
  CHECK(why({{"user_test_tester", "mine .admin"}}).empty());
  CHECK(why({{"user_test", "k"}}).find("invalid format") != std::string::npos);
  CHECK(why({{"user_a_b_c", "k"}}).find("invalid format") != std::string::npos);
  CHECK(why({{"user_a_b", " "}}).find("no key set") != std::string::npos);
  CHECK(why({{"user64_A_B", "k"}}).find("base64") != std::string::npos);
}

TEST_CASE("tempauth: no key reaches the log, /info tells of account ACLs") {
  Pipeline p;
  const std::string token = p.token("test:tester", "key1");
  p.status("GET", "/v1/AUTH_test", token);
  CHECK_FALSE(p.host.log.has("key1"));
  CHECK_FALSE(p.host.log.has(token));
  CHECK(p.host.info().document(false, {}).find("\"account_acls\": true") != std::string::npos);
}
