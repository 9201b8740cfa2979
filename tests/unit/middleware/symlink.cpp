#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

using namespace apus;
using namespace apus::testing;

namespace {

constexpr const char* kEtagOverride = "X-Object-Sysmeta-Container-Update-Override-Etag";

FakeAnswer link_to(const std::string& target, Headers more = {}) {
  more.set("X-Object-Sysmeta-Symlink-Target", target);
  return {200, {{"Etag", "d41d8cd98f00b204e9800998ecf8427e"}}, "", std::move(more)};
}

struct Symlink {
  explicit Symlink(const OptionTexts& options = {})
      : filter(load_filter("symlink", options, host, app)) {
    app.object("/v1/AUTH_a/c/o", "some bytes", {{"Etag", "abc"}});
  }
  Response ask(const std::string& method, const std::string& target, Headers headers = {}) {
    Request request = make_request(method, target, std::move(headers));
    if (method == "PUT") request.content_length = 0;
    return (*filter)(request);
  }

  TestHost host;
  FakeApp app;
  std::unique_ptr<const App> filter;
};

}  // namespace

TEST_CASE("symlink: a read ends at the target and says where that is") {
  Symlink links;
  links.app.on("GET", "/v1/AUTH_a/l/1", link_to("l/2"));
  links.app.on("GET", "/v1/AUTH_a/l/2", link_to("c/o"));
  Response response = links.ask("GET", "/v1/AUTH_a/l/1");
  CHECK(response.status == 200);
  CHECK(response.headers.get("Content-Location") == "/v1/AUTH_a/c/o");
  CHECK(body_of(response) == "some bytes");
  CHECK(links.app.calls().front().internal.get("X-Backend-Ignore-Range-If-Metadata-Present") ==
        "X-Object-Sysmeta-Symlink-Target");
  CHECK(links.app.last().context.source == "SYM");
  CHECK(links.app.open_bodies() == std::vector<std::string>{"GET /v1/AUTH_a/c/o"});
  Response part = links.ask("GET", "/v1/AUTH_a/l/1", {{"Range", "bytes=5-"}});
  CHECK(part.status == 206);
  CHECK(body_of(part) == "bytes");
}

TEST_CASE("symlink: another account's object, with its name still quoted") {
  Symlink links;
  links.app.object("/v1/AUTH_b/c/a b", "hers");
  links.app.on("GET", "/v1/AUTH_a/l/1",
               link_to("c/a%20b", {{"X-Object-Sysmeta-Symlink-Target-Account", "AUTH_b"}}));
  Response response = links.ask("GET", "/v1/AUTH_a/l/1");
  CHECK(body_of(response) == "hers");
  CHECK(response.headers.get("Content-Location") == "/v1/AUTH_b/c/a%20b");
}

TEST_CASE("symlink: more links than allowed, and links in a circle") {
  Symlink links;
  for (int i = 1; i <= 3; ++i)
    links.app.on("GET", "/v1/AUTH_a/l/" + std::to_string(i), link_to("l/" + std::to_string(i + 1)));
  links.app.object("/v1/AUTH_a/l/4", "end");
  CHECK(links.ask("GET", "/v1/AUTH_a/l/2").status == 200);
  Response response = links.ask("GET", "/v1/AUTH_a/l/1");
  CHECK(response.status == 409);
  CHECK(body_of(response) == "Too many levels of symbolic links, maximum allowed is 2");
  CHECK(links.ask("HEAD", "/v1/AUTH_a/l/1").body == nullptr);
  links.app.on("GET", "/v1/AUTH_a/l/x",
               link_to("l/x", {{"X-Object-Sysmeta-Symloop-Extend", "true"}}));
  CHECK(links.ask("GET", "/v1/AUTH_a/l/x").status == 409);
}

TEST_CASE("symlink: the link itself, on request") {
  Symlink links;
  links.app.on("GET", "/v1/AUTH_a/l/1?symlink=get",
               link_to("c/o", {{"X-Object-Sysmeta-Symlink-Target-Etag", "abc"},
                               {"X-Object-Sysmeta-Symlink-Target-Bytes", "10"}}));
  Response response = links.ask("GET", "/v1/AUTH_a/l/1?symlink=get");
  CHECK(response.headers.get("X-Symlink-Target") == "c/o");
  CHECK(response.headers.get("X-Symlink-Target-Etag") == "abc");
  CHECK(response.headers.get("X-Symlink-Target-Bytes") == "10");
}

TEST_CASE("symlink: a static link whose target changed") {
  Symlink links;
  links.app.on("GET", "/v1/AUTH_a/l/1",
               link_to("c/o", {{"X-Object-Sysmeta-Symlink-Target-Etag", "old"}}));
  Response response = links.ask("GET", "/v1/AUTH_a/l/1");
  CHECK(response.status == 409);
  CHECK(body_of(response) == "Object Etag 'abc' does not match X-Symlink-Target-Etag header 'old'");
  CHECK(response.headers.get("Content-Location") == "/v1/AUTH_a/c/o");
}

TEST_CASE("symlink: reserved names only where the link itself was allowed to") {
  Symlink links;
  links.app.object(std::string("/v1/AUTH_a/\0v/\0o", 16), "old version");
  links.app.on("GET", "/v1/AUTH_a/l/1", link_to("%00v/%00o"));
  links.ask("GET", "/v1/AUTH_a/l/1");
  CHECK_FALSE(links.app.last().context.allow_reserved_names);
  CHECK_FALSE(links.app.last().context.authorize_override);
  links.app.on("GET", "/v1/AUTH_a/l/1",
               link_to("%00v/%00o", {{"X-Object-Sysmeta-Allow-Reserved-Names", "true"}}));
  links.ask("GET", "/v1/AUTH_a/l/1");
  CHECK(links.app.last().context.allow_reserved_names);
  CHECK(links.app.last().context.authorize_override);
}

TEST_CASE("symlink: a PUT stores the target as the system's and names it for the listing") {
  Symlink links;
  links.app.on("PUT", "/v1/AUTH_a/l/1", {201});
  CHECK(links
            .ask("PUT", "/v1/AUTH_a/l/1",
                 {{"X-Symlink-Target", "c/a%20b"}, {"X-Symlink-Target-Account", "AUTH_b"}})
            .status == 201);
  FakeCall put = links.app.last();
  CHECK(put.internal.get("X-Object-Sysmeta-Symlink-Target") == "c/a%20b");
  CHECK(put.internal.get("X-Object-Sysmeta-Symlink-Target-Account") == "AUTH_b");
  CHECK(put.internal.get(kEtagOverride) ==
        "d41d8cd98f00b204e9800998ecf8427e; symlink_target=c/a%20b; symlink_target_account=AUTH_b");
  CHECK(put.headers.get("Content-Type") == "application/symlink");
  CHECK_FALSE(put.headers.has("X-Symlink-Target"));
}

TEST_CASE("symlink: a static link is bound to what is there") {
  Symlink links;
  links.app.on("PUT", "/v1/AUTH_a/l/1", {201});
  CHECK(links
            .ask("PUT", "/v1/AUTH_a/l/1",
                 {{"X-Symlink-Target", "c/o"}, {"X-Symlink-Target-Etag", "\"abc\""}})
            .status == 201);
  FakeCall put = links.app.last();
  CHECK(put.internal.get("X-Object-Sysmeta-Symlink-Target-Bytes") == "10");
  CHECK(put.internal.get(kEtagOverride) ==
        "d41d8cd98f00b204e9800998ecf8427e; symlink_target=c/o; symlink_target_etag=abc; "
        "symlink_target_bytes=10");
  Response wrong = links.ask("PUT", "/v1/AUTH_a/l/1",
                             {{"X-Symlink-Target", "c/o"}, {"X-Symlink-Target-Etag", "xyz"}});
  CHECK(wrong.status == 409);
  CHECK(body_of(wrong) == "Object Etag 'abc' does not match X-Symlink-Target-Etag header 'xyz'");
  links.app.on("HEAD", "/v1/AUTH_a/c/none", {404});
  Response none = links.ask("PUT", "/v1/AUTH_a/l/1",
                            {{"X-Symlink-Target", "c/none"}, {"X-Symlink-Target-Etag", "xyz"}});
  CHECK(none.status == 409);
  CHECK(body_of(none) == "X-Symlink-Target does not exist");
}

TEST_CASE("symlink: a static link to a large object lists that one's ETag and size") {
  Symlink links;
  links.app.on("PUT", "/v1/AUTH_a/l/1", {201});
  links.app.on("HEAD", "/v1/AUTH_a/c/slo",
               {200,
                {{"Etag", "abc"}},
                "",
                {{"X-Object-Sysmeta-Slo-Etag", "whole"}, {"X-Object-Sysmeta-Slo-Size", "77"}}});
  links.ask("PUT", "/v1/AUTH_a/l/1",
            {{"X-Symlink-Target", "c/slo"}, {"X-Symlink-Target-Etag", "abc"}});
  CHECK(links.app.last().internal.get(kEtagOverride) ==
        "d41d8cd98f00b204e9800998ecf8427e; slo_etag=whole; symlink_target=c/slo; "
        "symlink_target_etag=abc; symlink_target_bytes=77");
}

TEST_CASE("symlink: malformed links are refused before anything is asked") {
  Symlink links;
  const auto status = [&](Headers headers) {
    return links.ask("PUT", "/v1/AUTH_a/l/1", std::move(headers)).status;
  };
  for (const char* target : {"c", "/c/o", "%2Fc/o", "c/", ""}) {
    CAPTURE(target);
    CHECK(status({{"X-Symlink-Target", target}}) == 412);
  }
  CHECK(status({{"X-Symlink-Target", "c/o"}, {"X-Symlink-Target-Account", "a/b"}}) == 412);
  CHECK(status({{"X-Symlink-Target", "l/1"}}) == 400);
  for (const char* etag : {"a;b", "a\"b", "a\\b"})
    CHECK(status({{"X-Symlink-Target", "c/o"}, {"X-Symlink-Target-Etag", etag}}) == 400);
  CHECK(links.ask("POST", "/v1/AUTH_a/l/1", {{"X-Symlink-Target", "c/o"}}).status == 400);
  Request request = make_request("PUT", "/v1/AUTH_a/l/1", {{"X-Symlink-Target", "c/o"}});
  request.chunked = true;
  request.body = std::make_unique<StringSource>("x");
  CHECK((*links.filter)(request).status == 400);
  CHECK(links.app.calls().empty());
}

TEST_CASE("symlink: a POST meets the link, and its client hears of the target") {
  Symlink links;
  links.app.on("POST", "/v1/AUTH_a/l/1",
               {202, {}, "", {{"X-Object-Sysmeta-Symlink-Target", "c/o"}}});
  Request request = make_request("POST", "/v1/AUTH_a/l/1", {{"X-Object-Meta-A", "b"}});
  Response response = (*links.filter)(request);
  CHECK(response.status == 307);
  CHECK(response.headers.get("Location") == "/v1/AUTH_a/c/o");
  CHECK(request.context.leave_relative_location);
}

TEST_CASE("symlink: listings name the targets") {
  Symlink links;
  links.app.on(
      "GET", "/v1/AUTH_a/l",
      {200,
       {{"Content-Type", "application/json; charset=utf-8"}},
       R"([{"name": "1", "hash": "e; symlink_target=c/o; symlink_target_etag=abc; symlink_target_bytes=10; x=y"},)"
       R"( {"name": "2", "hash": "f"}, {"subdir": "s/"}])"});
  Response response = links.ask("GET", "/v1/AUTH_a/l?format=json");
  CHECK(body_of(response) ==
        R"([{"name": "1", "hash": "e; x=y", "symlink_etag": "abc", "symlink_bytes": 10, )"
        R"("symlink_path": "/v1/AUTH_a/c/o"}, {"name": "2", "hash": "f"}, {"subdir": "s/"}])");
  for (const char* text : {"not json symlink_target", "{\"symlink_target\": 1}", ""}) {
    links.app.on("GET", "/v1/AUTH_a/l", {200, {}, text});
    Response as_is = links.ask("GET", "/v1/AUTH_a/l");
    CHECK(body_of(as_is) == text);
  }
}
