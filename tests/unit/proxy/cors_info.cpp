// Cross-origin requests and /info.
#include <apus/digest.h>

#include "tests/unit/proxy/fake_cluster.h"

using namespace apus;
using namespace apus::test;

namespace {

void open_to(FakeCluster& cluster, const std::string& origins) {
  cluster.on[kContainerNode] = [origins](Request&, std::size_t) {
    Response out(204);
    out.headers.set("X-Container-Meta-Access-Control-Allow-Origin", origins);
    out.headers.set("X-Container-Meta-Access-Control-Max-Age", "300");
    out.headers.set("X-Container-Meta-Access-Control-Expose-Headers", "X-Foo  x-bar");
    return out;
  };
  cluster.on[kObjectNode] = [](Request&, std::size_t) {
    Response out = object_answer("x", "e", "1700000000.00000");
    out.headers.set("X-Object-Meta-Color", "blue");
    return out;
  };
}

bool lists(std::string_view text, std::string_view word) {
  const auto words = split_list(text);
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

TEST_CASE("a preflight is answered for origins and methods that are allowed") {
  FakeCluster cluster;
  open_to(cluster, "http://a http://b");
  const auto preflight = [&](const char* origin, const char* method) {
    return cluster.ask("OPTIONS", "/v1/a/c/o",
                       {{"Origin", origin},
                        {"Access-Control-Request-Method", method},
                        {"Access-Control-Request-Headers", "x-b, x-a"}});
  };
  Response good = preflight("http://b", "PUT");
  CHECK(good.status == 200);
  CHECK(good.headers.get("Access-Control-Allow-Origin") == "http://b");
  CHECK(good.headers.get("Access-Control-Max-Age") == "300");
  CHECK(lists(good.headers.get("Access-Control-Allow-Methods"), "PUT"));
  CHECK(lists(good.headers.get("Access-Control-Allow-Headers"), "x-a"));
  CHECK(good.headers.get("Vary") == "Origin, Access-Control-Request-Headers");
  CHECK(preflight("http://c", "PUT").status == 401);
  CHECK(preflight("http://b", "COPY").status == 401);
  CHECK(cluster.ask("OPTIONS", "/v1/a/c/o", {{"Origin", "http://a"}}).status == 401);
  CHECK(cluster.ask("OPTIONS", "/v1/a/c/o").status == 200);
  CHECK(cluster.ask("OPTIONS", "/v1/a", {{"Origin", "http://c"}}).status == 200);
}

TEST_CASE("a star lets everybody in and does not vary") {
  FakeCluster cluster;
  open_to(cluster, "*");
  Response out = cluster.ask("OPTIONS", "/v1/a/c",
                             {{"Origin", "http://x"}, {"Access-Control-Request-Method", "GET"}});
  CHECK(out.status == 200);
  CHECK(out.headers.get("Access-Control-Allow-Origin") == "*");
  CHECK_FALSE(out.headers.has("Vary"));
}

TEST_CASE("answers show what scripts may see, in strict mode to allowed origins alone") {
  FakeCluster cluster(OptionTexts{{"cors_expose_headers", "X-Mine"}});
  open_to(cluster, "http://a");
  Response out = cluster.ask("GET", "/v1/a/c/o", {{"Origin", "http://a"}});
  CHECK(out.headers.get("Access-Control-Allow-Origin") == "http://a");
  CHECK(out.headers.get("Vary") == "Origin");
  const std::string shown(out.headers.get("Access-Control-Expose-Headers"));
  for (const char* word : {"etag", "x-trans-id", "x-object-meta-color", "x-foo", "x-bar", "X-Mine",
                           "x-openstack-request-id"}) {
    CAPTURE(word);
    CHECK(lists(shown, word));
  }
  Response other = cluster.ask("GET", "/v1/a/c/o", {{"Origin", "http://b"}});
  CHECK(other.status == 200);
  CHECK_FALSE(other.headers.has("Access-Control-Allow-Origin"));

  FakeCluster loose(OptionTexts{{"strict_cors_mode", "no"}});
  open_to(loose, "http://a");
  CHECK(loose.ask("GET", "/v1/a/c/o", {{"Origin", "http://b"}})
            .headers.get("Access-Control-Allow-Origin") == "http://b");
  FakeCluster everywhere(OptionTexts{{"cors_allow_origin", "http://z"}});
  CHECK(everywhere.ask("HEAD", "/v1/a/c", {{"Origin", "http://z"}})
            .headers.get("Access-Control-Allow-Origin") == "http://z");
}

TEST_CASE("/info: for all, and signed for administrators") {
  FakeCluster cluster(OptionTexts{{"admin_key", "k"}});
  cluster.proxy();
  cluster.host.info().set("secret", R"({"a": 1})", true);
  Response all = cluster.ask("GET", "/info", {{"Origin", "http://x"}});
  CHECK(all.status == 200);
  CHECK(all.headers.get("Content-Type") == "application/json; charset=UTF-8");
  CHECK(all.headers.get("Access-Control-Allow-Origin") == "http://x");
  const auto json = Json::parse(body_of(all));
  REQUIRE(json);
  REQUIRE(json->find("swift") != nullptr);
  CHECK(json->find("swift")->find("max_file_size") != nullptr);
  CHECK(json->find("swift")->find("valid_api_versions") == nullptr);
  CHECK(json->find("admin") == nullptr);

  const auto signed_by = [&](std::string_view key, std::string_view method, const char* end) {
    const std::string text = std::string(method) + "\n" + end + "\n/info";
    return "/info?swiftinfo_sig=" + to_hex(hmac(DigestKind::kSha1, key, text)) +
           "&swiftinfo_expires=" + end;
  };
  Response admin = cluster.ask("GET", signed_by("k", "GET", "1700000100"));
  CHECK(admin.status == 200);
  CHECK(body_of(admin).find("\"secret\"") != std::string::npos);
  CHECK(cluster.ask("HEAD", signed_by("k", "GET", "1700000100")).status == 200);
  CHECK(cluster.ask("GET", signed_by("k", "HEAD", "1700000100")).status == 401);
  CHECK(cluster.ask("GET", signed_by("no", "GET", "1700000100")).status == 401);
  CHECK(cluster.ask("GET", signed_by("k", "GET", "1600000000")).status == 401);
  CHECK(cluster.ask("GET", "/info?swiftinfo_sig=x&swiftinfo_expires=soon").status == 401);
  FakeCluster without;
  CHECK(without.ask("GET", "/info?swiftinfo_sig=x").status == 403);
  CHECK(without.ask("OPTIONS", "/info").status == 200);
  FakeCluster closed(OptionTexts{{"expose_info", "no"}});
  CHECK(closed.ask("GET", "/info").status == 403);
}
