#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

#include <stdexcept>

using namespace apus;
using namespace apus::testing;

namespace {

constexpr const char* kMarker = "application/x-deleted;swift_versions_deleted=1";
const std::string kHidden = std::string("\0versions\0c", 11);

// "\0o\0" and the inverted time of 1700000000.
std::string version_path() {
  return "/v1/AUTH_a/" + kHidden + "/" + std::string("\0o\0", 3) + "8299999999.99999";
}

struct Versions {
  explicit Versions(const OptionTexts& options = {{"allow_versioned_writes", "yes"},
                                                  {"allow_object_versioning", "yes"}}) {
    host.info().set("symlink", "{}");
    filter = load_filter("versioned_writes", options, host, app);
    app.on("HEAD", "/v1/AUTH_a", {204});
    app.on("HEAD", "/v1/AUTH_a/old", {204});
    app.on("HEAD", "/v1/AUTH_a/" + kHidden, {204});
  }
  void container(Headers headers, Headers internal = {}) {
    app.on("HEAD", "/v1/AUTH_a/c", {204, std::move(headers), "", std::move(internal)});
  }
  void legacy(const char* mode) {
    container({}, {{"X-Container-Sysmeta-Versions-Location", "old"},
                   {"X-Container-Sysmeta-Versions-Mode", mode}});
  }
  void versioned() {
    container({}, {{"X-Container-Sysmeta-Versions-Container", quote(kHidden)},
                   {"X-Container-Sysmeta-Versions-Enabled", "True"}});
  }
  Response ask(const std::string& method, const std::string& target, Headers headers = {},
               std::optional<std::string> body = std::nullopt) {
    Request request = make_request(method, target, std::move(headers), std::move(body));
    return (*filter)(request);
  }
  // The calls without the looks at account and containers.
  std::vector<std::string> work() const {
    std::vector<std::string> out;
    for (const std::string& line : app.lines())
      if (!line.starts_with("HEAD")) out.push_back(line);
    return out;
  }

  TestHost host;
  FakeApp app;
  std::unique_ptr<const App> filter;
};

}  // namespace

TEST_CASE("versioned_writes: a container says where its versions go") {
  Versions versions;
  versions.app.on("PUT", "/v1/AUTH_a/c", {201});
  versions.ask("PUT", "/v1/AUTH_a/c", {{"X-Versions-Location", "old"}});
  FakeCall put = versions.app.last();
  CHECK(put.internal.get("X-Container-Sysmeta-Versions-Location") == "old");
  CHECK(put.internal.get("X-Container-Sysmeta-Versions-Mode") == "stack");
  CHECK(put.headers.find("X-Versions-Location")->empty());
  versions.ask("PUT", "/v1/AUTH_a/c", {{"X-History-Location", "old"}});
  CHECK(versions.app.last().internal.get("X-Container-Sysmeta-Versions-Mode") == "history");
  versions.ask("PUT", "/v1/AUTH_a/c", {{"X-Remove-Versions-Location", "x"}});
  put = versions.app.last();
  CHECK(put.internal.has("X-Container-Sysmeta-Versions-Location"));
  CHECK(put.internal.get("X-Container-Sysmeta-Versions-Location").empty());
  CHECK(versions
            .ask("PUT", "/v1/AUTH_a/c", {{"X-Versions-Location", "a"}, {"X-History-Location", "b"}})
            .status == 400);
  CHECK(versions.ask("PUT", "/v1/AUTH_a/c", {{"X-Versions-Location", "a/b"}}).status == 412);
  versions.app.on("GET", "/v1/AUTH_a/c",
                  {200, {}, "[]", {{"X-Container-Sysmeta-Versions-Location", "old"}}});
  CHECK(versions.ask("GET", "/v1/AUTH_a/c").headers.get("X-Versions-Location") == "old");
}

TEST_CASE("versioned_writes: where it is switched off, asking for it is an error") {
  Versions versions(OptionTexts{{"allow_versioned_writes", "no"}});
  Response response = versions.ask("PUT", "/v1/AUTH_a/c", {{"X-Versions-Location", "old"}});
  CHECK(response.status == 412);
  CHECK(body_of(response) == "Versioned Writes is disabled");
}

TEST_CASE("versioned_writes: object versions without the symlink filter do not start") {
  TestHost host;
  FakeApp app;
  CHECK_THROWS_AS(load_filter("versioned_writes", {{"allow_object_versioning", "yes"}}, host, app),
                  std::runtime_error);
}

TEST_CASE("versioned_writes: what is overwritten is kept first") {
  Versions versions;
  versions.legacy("stack");
  versions.app.object("/v1/AUTH_a/c/o", "old bytes",
                      {{"X-Timestamp", "1600000000.00000"}, {"X-Object-Meta-A", "b"}});
  versions.app.on("PUT", "/v1/AUTH_a/old/001o/1600000000.00000", {201});
  versions.app.on("PUT", "/v1/AUTH_a/c/o", {201});
  CHECK(versions.ask("PUT", "/v1/AUTH_a/c/o", {}, "new").status == 201);
  CHECK(versions.work() == std::vector<std::string>{"GET /v1/AUTH_a/c/o?symlink=get",
                                                    "PUT /v1/AUTH_a/old/001o/1600000000.00000",
                                                    "PUT /v1/AUTH_a/c/o"});
  const FakeCall kept = versions.app.calls()[versions.app.calls().size() - 2];
  CHECK(kept.body == "old bytes");
  CHECK(kept.headers.get("X-Object-Meta-A") == "b");
  CHECK(versions.app.last().body == "new");
}

TEST_CASE("versioned_writes: nothing is overwritten when it could not be kept") {
  Versions versions;
  versions.legacy("stack");
  versions.app.object("/v1/AUTH_a/c/o", "x", {{"X-Timestamp", "1600000000.00000"}});
  for (const auto& [stored, told] : {std::pair{404, 412}, {503, 503}}) {
    versions.app.on("PUT", "/v1/AUTH_a/old/001o/1600000000.00000", {stored});
    CHECK(versions.ask("PUT", "/v1/AUTH_a/c/o", {}, "new").status == told);
  }
}

TEST_CASE("versioned_writes: stack, a DELETE brings the newest version back") {
  Versions versions;
  versions.legacy("stack");
  versions.app.on("GET", "/v1/AUTH_a/old", {200, {}, R"([{"name": "001o/2", "content_type": "a/b"},
                                {"name": "001o/1", "content_type": "a/b"}])"});
  versions.app.on("GET", "/v1/AUTH_a/old/001o/2", {404});
  versions.app.object("/v1/AUTH_a/old/001o/1", "older");
  versions.app.on("PUT", "/v1/AUTH_a/c/o", {201});
  versions.app.on("DELETE", "/v1/AUTH_a/old/001o/1", {204});
  CHECK(versions.ask("DELETE", "/v1/AUTH_a/c/o", {{"Origin", "http://a"}}).status == 204);
  CHECK(versions.app.last().line() == "DELETE /v1/AUTH_a/old/001o/1");
  CHECK(versions.app.last().context.authorize_override);
  // What a browser's script may see is told by the answer to this one.
  CHECK(versions.app.last().headers.get("Origin") == "http://a");
}

TEST_CASE("versioned_writes: stack, without versions a DELETE is a DELETE") {
  Versions versions;
  versions.legacy("stack");
  for (const FakeAnswer& listing :
       {FakeAnswer{404}, FakeAnswer{200, {}, "[]"}, FakeAnswer{200, {}, "not json"}}) {
    versions.app.on("GET", "/v1/AUTH_a/old", listing);
    versions.app.on("DELETE", "/v1/AUTH_a/c/o", {204});
    CHECK(versions.ask("DELETE", "/v1/AUTH_a/c/o").status == 204);
  }
  versions.app.on("GET", "/v1/AUTH_a/old", {503});
  CHECK(versions.ask("DELETE", "/v1/AUTH_a/c/o").status == 500);
}

TEST_CASE("versioned_writes: history, a DELETE leaves a marker") {
  Versions versions;
  versions.legacy("history");
  versions.app.on("GET", "/v1/AUTH_a/c/o", {404});
  versions.app.on("DELETE", "/v1/AUTH_a/c/o", {204});
  versions.app.otherwise({201});
  CHECK(versions.ask("DELETE", "/v1/AUTH_a/c/o").status == 204);
  const FakeCall marker = versions.app.calls()[versions.app.calls().size() - 2];
  CHECK(marker.path == "/v1/AUTH_a/old/001o/1700000000.00000");
  CHECK(marker.headers.get("Content-Type") == kMarker);
  CHECK(marker.context.content_type_overridden);
}

TEST_CASE("object versions: enabling makes the hidden container") {
  Versions versions;
  versions.container({});
  versions.app.on("PUT", "/v1/AUTH_a/" + kHidden, {201});
  versions.app.on("PUT", "/v1/AUTH_a/c", {201});
  CHECK(versions.ask("PUT", "/v1/AUTH_a/c", {{"X-Versions-Enabled", "true"}}).status == 201);
  const FakeCall put = versions.app.last();
  CHECK(put.internal.get("X-Container-Sysmeta-Versions-Enabled") == "True");
  CHECK(put.internal.get("X-Container-Sysmeta-Versions-Container") == "%00versions%00c");
  versions.app.on("PUT", "/v1/AUTH_a/c", {503});
  versions.app.on("DELETE", "/v1/AUTH_a/" + kHidden, {204});
  CHECK(versions.ask("PUT", "/v1/AUTH_a/c", {{"X-Versions-Enabled", "true"}}).status == 503);
  CHECK(versions.app.last().method == "DELETE");
}

TEST_CASE("object versions: a PUT lands in a version, and its name becomes a link") {
  Versions versions;
  versions.versioned();
  versions.app.on("GET", "/v1/AUTH_a/c/o", {404});
  versions.app.on("PUT", version_path(), {201, {{"Etag", "abc"}}});
  versions.app.on("PUT", "/v1/AUTH_a/c/o", {201, {{"Etag", "of the link"}}});
  Response response =
      versions.ask("PUT", "/v1/AUTH_a/c/o", {{"Content-Type", "text/plain; a=b"}}, "bytes");
  CHECK(response.status == 201);
  CHECK(response.headers.get("Etag") == "abc");
  CHECK(response.headers.get("X-Object-Version-Id") == "1700000000.00000");
  const FakeCall link = versions.app.last();
  CHECK(link.content_length == 0);
  CHECK(link.headers.get("X-Symlink-Target") == "%00versions%00c/%00o%008299999999.99999");
  CHECK(link.headers.get("Content-Type") == "text/plain");
  CHECK(link.internal.get("X-Object-Sysmeta-Symlink-Target-Etag") == "abc");
  CHECK(link.internal.get("X-Object-Sysmeta-Symlink-Target-Bytes") == "5");
  CHECK(link.internal.get("X-Object-Sysmeta-Versions-Symlink") == "true");
  CHECK(link.context.timestamp->internal() == "1700000000.00000_0000000000000001");
  versions.app.on("PUT", version_path(), {404});
  Response lost = versions.ask("PUT", "/v1/AUTH_a/c/o", {}, "bytes");
  CHECK(lost.status == 500);
}

TEST_CASE("object versions: reads name the version, and hide where it lies") {
  Versions versions;
  versions.versioned();
  versions.app.on("GET", "/v1/AUTH_a/c/o",
                  {200, {{"Content-Location", quote(version_path())}}, "bytes"});
  Response response = versions.ask("GET", "/v1/AUTH_a/c/o");
  CHECK(response.headers.get("X-Object-Version-Id") == "1700000000.00000");
  CHECK(response.headers.get("Content-Location") == "/v1/AUTH_a/c/o?version-id=1700000000.00000");
  Response null = versions.ask("GET", "/v1/AUTH_a/c/o?version-id=null");
  CHECK(null.status == 404);
  versions.app.on("GET", version_path(), {200, {{"Content-Type", "a/b"}}, "bytes"});
  Response one = versions.ask("GET", "/v1/AUTH_a/c/o?version-id=1700000000.00000");
  CHECK(body_of(one) == "bytes");
  CHECK(one.headers.get("X-Object-Version-Id") == "1700000000.00000");
  versions.app.on("GET", version_path(), {200, {{"Content-Type", kMarker}}});
  CHECK(versions.ask("GET", "/v1/AUTH_a/c/o?version-id=1700000000.00000").status == 404);
}

TEST_CASE("object versions: malformed requests") {
  Versions versions;
  versions.versioned();
  CHECK(versions.ask("GET", "/v1/AUTH_a/c/o?version-id=yesterday").status == 400);
  CHECK(versions.ask("POST", "/v1/AUTH_a/c/o?version-id=1.0").status == 400);
  CHECK(versions.ask("PUT", "/v1/AUTH_a/c/o?version-id=1700000000.00000", {}, "x").status == 400);
  versions.app.on("GET", "/v1/AUTH_a/c", {200, {}, "[]"});
  CHECK(versions.ask("GET", "/v1/AUTH_a/c?versions&version_marker=1").status == 400);
  CHECK(versions.ask("GET", "/v1/AUTH_a/c?versions&marker=a&version_marker=x").status == 400);
  CHECK(versions.ask("GET", "/v1/AUTH_a/c?versions&delimiter=1").status == 400);
}

TEST_CASE("object versions: a listing of versions marks the newest") {
  Versions versions;
  versions.versioned();
  versions.app.on(
      "GET", "/v1/AUTH_a/c",
      {200,
       {},
       R"([{"name": "o", "hash": "e", "bytes": 0, "content_type": "a/b", "symlink_bytes": 5,
            "symlink_etag": "abc",
            "symlink_path": "/v1/AUTH_a/%00versions%00c/%00o%008299999999.99999"},
           {"name": "p", "hash": "f", "bytes": 1, "content_type": "a/b"}])"});
  Response plain = versions.ask("GET", "/v1/AUTH_a/c");
  CHECK(body_of(plain).find(R"("symlink_path": "/v1/AUTH_a/c/o?version-id=1700000000.00000")") !=
        std::string::npos);
  versions.app.on("GET", "/v1/AUTH_a/" + kHidden,
                  {200,
                   {},
                   R"([{"name": "\u0000o\u00008299999999.99999", "hash": "abc", "bytes": 5,
                        "content_type": "a/b"},
                       {"name": "\u0000o\u00008399999999.99999", "hash": "old", "bytes": 3,
                        "content_type": "a/b"}])"});
  Request request = make_request("GET", "/v1/AUTH_a/c?versions");
  Response listing = (*versions.filter)(request);
  CHECK_FALSE(request.context.format_listing);
  const std::string text = body_of(listing);
  const std::size_t newest = text.find(R"("is_latest": true)");
  CHECK(newest < text.find(R"("version_id": "1700000000.00000")"));
  CHECK(text.find(R"("version_id": "1600000000.00000")") != std::string::npos);
  CHECK(text.find(R"("version_id": "null")") != std::string::npos);
}
