#include <apus/digest.h>
#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

#include <vector>

using namespace apus;
using namespace apus::testing;

namespace {

// A manifest at /v1/a/c/big over four objects of five bytes: "aaaaabbbbbcccccddddd".
struct Dlo {
  explicit Dlo(const OptionTexts& options = {}, std::int64_t page = 10000) {
    host.conf.constraints.container_listing_limit = page;
    filter = load_filter("dlo", options, host, app);
    app.object("/v1/a/c/big", "manifest",
               {{"X-Object-Manifest", "seg/big%2Fx_"}, {"Content-Type", "video/mp4"}});
    for (const char letter : {'a', 'b', 'c', 'd'})
      app.object(std::string("/v1/a/seg/big/x_") + letter, std::string(5, letter));
    app.on("GET", "/v1/a/seg?format=json&prefix=big/x_", rows({'a', 'b', 'c', 'd'}));
  }
  static FakeAnswer rows(const std::vector<char>& letters) {
    std::string out;
    for (const char letter : letters) {
      out += out.empty() ? "[" : ", ";
      out += std::string(R"({"name": "big/x_)") + letter + R"(", "bytes": 5, "hash": ")" +
             md5_hex(std::string(5, letter)) +
             R"(", "content_type": "t", "last_modified": "2026-01-01T00:00:00.000000"})";
    }
    return {200, {{"Content-Type", "application/json"}}, (out.empty() ? "[" : out) + "]"};
  }
  Response ask(std::string method, std::string_view target = "/v1/a/c/big", Headers headers = {}) {
    Request request = make_request(std::move(method), target, std::move(headers));
    return (*filter)(request);
  }
  static std::string etag() {
    std::string all;
    for (const char letter : {'a', 'b', 'c', 'd'}) all += md5_hex(std::string(5, letter));
    return md5_hex(all);
  }

  TestHost host;
  FakeApp app;
  std::unique_ptr<const App> filter;
};

}  // namespace

TEST_CASE("dlo: a manifest is read as its segments") {
  Dlo dlo;
  Response whole = dlo.ask("GET");
  CHECK(whole.status == 200);
  CHECK(whole.content_length == 20U);
  CHECK(whole.headers.get("Etag") == "\"" + Dlo::etag() + "\"");
  CHECK(whole.headers.get("Content-Type") == "video/mp4");
  CHECK(body_of(whole) == "aaaaabbbbbcccccddddd");
  Response head = dlo.ask("HEAD");
  CHECK(head.content_length == 20U);
  CHECK(head.headers.get("Etag") == "\"" + Dlo::etag() + "\"");
  CHECK(dlo.app.unread_bodies().empty());
}

TEST_CASE("dlo: segments are asked for in the client's name") {
  Dlo dlo;
  Response whole = dlo.ask("GET", "/v1/a/c/big",
                           {{"X-Auth-Token", "tk"}, {"User-Agent", "curl"}, {"Cookie", "c"}});
  body_of(whole);
  const FakeCall last = dlo.app.last();
  CHECK(last.line() == "GET /v1/a/seg/big/x_d?multipart-manifest=get");
  CHECK(last.headers.get("X-Auth-Token") == "tk");
  CHECK(last.headers.get("User-Agent") == "curl DLO MultipartGET");
  CHECK_FALSE(last.headers.has("Cookie"));
  CHECK(last.context.source == "DLO");
}

TEST_CASE("dlo: ranges touch only the segments they need") {
  Dlo dlo;
  struct Case {
    const char* range;
    int status;
    const char* content_range;
    const char* body;
  };
  for (const Case& one : {Case{"bytes=3-11", 206, "bytes 3-11/20", "aabbbbbcc"},
                          Case{"bytes=5-9", 206, "bytes 5-9/20", "bbbbb"},
                          Case{"bytes=-2", 206, "bytes 18-19/20", "dd"},
                          Case{"bytes=19-", 206, "bytes 19-19/20", "d"},
                          Case{"bytes=0-1,5-6", 200, "", "aaaaabbbbbcccccddddd"},
                          Case{"bytes=junk", 200, "", "aaaaabbbbbcccccddddd"}}) {
    CAPTURE(one.range);
    dlo.app.clear_calls();
    Response response = dlo.ask("GET", "/v1/a/c/big", {{"Range", one.range}});
    CHECK(response.status == one.status);
    CHECK(response.headers.get("Content-Range") == one.content_range);
    CHECK(body_of(response) == one.body);
  }
  dlo.app.clear_calls();
  Response middle = dlo.ask("GET", "/v1/a/c/big", {{"Range", "bytes=5-9"}});
  body_of(middle);
  CHECK(dlo.app.calls().size() == 3);  // manifest, listing, one segment
  Response past = dlo.ask("GET", "/v1/a/c/big", {{"Range", "bytes=20-"}});
  CHECK(past.status == 416);
  CHECK(past.headers.get("Content-Range") == "bytes */20");
}

TEST_CASE("dlo: ranges at the edges, as Swift judges them") {
  Dlo dlo;
  Response beyond = dlo.ask("HEAD", "/v1/a/c/big", {{"Range", "bytes=100-200"}});
  CHECK(beyond.status == 416);
  CHECK(beyond.content_length == 0U);
  CHECK(beyond.headers.get("Content-Range") == "bytes */20");
  CHECK(dlo.ask("HEAD", "/v1/a/c/big", {{"Range", "bytes=0-1"}}).status == 200);
  dlo.app.on("GET", "/v1/a/seg?format=json&prefix=big/x_", Dlo::rows({}));
  CHECK(dlo.ask("GET", "/v1/a/c/big", {{"Range", "bytes=0-0"}}).status == 416);
  CHECK(dlo.ask("GET", "/v1/a/c/big", {{"Range", "bytes=-5"}}).status == 200);
}

TEST_CASE("dlo: of a manifest whose own conditions failed it is not said that it has ranges") {
  Dlo dlo;
  dlo.app.on("GET", "/v1/a/c/big",
             FakeAnswer{412, {{"X-Object-Manifest", "seg/big%2Fx_"}, {"Etag", "manifest"}}, ""});
  Response out = dlo.ask("GET", "/v1/a/c/big", {{"If-Match", Dlo::etag()}});
  CHECK(out.status == 200);
  CHECK_FALSE(out.headers.has("Accept-Ranges"));
  CHECK(body_of(out) == "aaaaabbbbbcccccddddd");
}

TEST_CASE("dlo: conditions are judged by the large object's ETag") {
  Dlo dlo;
  const std::string etag = "\"" + Dlo::etag() + "\"";
  CHECK(dlo.ask("GET", "/v1/a/c/big", {{"If-None-Match", etag}}).status == 304);
  CHECK(dlo.ask("GET", "/v1/a/c/big", {{"If-Match", "\"other\""}}).status == 412);
  Response same = dlo.ask("GET", "/v1/a/c/big", {{"If-Match", etag}});
  CHECK(same.status == 200);
  CHECK(body_of(same).size() == 20);
}

TEST_CASE("dlo: the manifest itself, and what is none") {
  Dlo dlo;
  Response manifest = dlo.ask("GET", "/v1/a/c/big?multipart-manifest=get");
  CHECK(body_of(manifest) == "manifest");
  dlo.app.object("/v1/a/c/plain", "plain");
  Response plain = dlo.ask("GET", "/v1/a/c/plain");
  CHECK(body_of(plain) == "plain");
  dlo.app.on("GET", "/v1/a/c", {200, {}, "listing"});
  Response listing = dlo.ask("GET", "/v1/a/c");
  CHECK(body_of(listing) == "listing");
}

TEST_CASE("dlo: no segments are an empty object, no listing is its answer") {
  Dlo dlo;
  dlo.app.on("GET", "/v1/a/seg?format=json&prefix=big/x_", Dlo::rows({}));
  Response empty = dlo.ask("GET");
  CHECK(empty.status == 200);
  CHECK(empty.content_length == 0U);
  dlo.app.on("GET", "/v1/a/seg?format=json&prefix=big/x_", FakeAnswer{403, {}, "no"});
  Response denied = dlo.ask("GET");
  CHECK(denied.status == 403);
  CHECK(body_of(denied) == "no");
  for (const char* junk :
       {"{", "{}", "[3]", R"([{"name": 3}])", R"([{"name": "a", "bytes": -1, "hash": "x"}])"}) {
    dlo.app.on("GET", "/v1/a/seg?format=json&prefix=big/x_",
               FakeAnswer{200, {{"Content-Type", "application/json"}}, junk});
    CHECK(dlo.ask("GET").status == 503);
  }
}

TEST_CASE("dlo: a segment that is gone is 409 at the start and a broken body later") {
  Dlo dlo;
  dlo.app.on("GET", "/v1/a/seg/big/x_c", FakeAnswer{404, {}, "gone"});
  Response late = dlo.ask("GET");
  CHECK(late.status == 200);
  CHECK_THROWS_AS(body_of(late), BodyError);
  CHECK(dlo.host.log.has("got 404 (gone) while retrieving /v1/a/seg/big/x_c"));
  dlo.app.on("GET", "/v1/a/seg/big/x_a", FakeAnswer{404, {}, "gone"});
  CHECK(dlo.ask("GET").status == 409);
  dlo.app.on("GET", "/v1/a/seg/big/x_a", FakeAnswer{503, {}, "later"});
  CHECK(dlo.ask("GET").status == 503);
}

TEST_CASE("dlo: a segment whose bytes do not fit its ETag breaks the body") {
  Dlo dlo;
  dlo.app.on("GET", "/v1/a/seg/big/x_b", FakeAnswer{200, {{"Etag", md5_hex("other")}}, "bbbbb"});
  Response response = dlo.ask("GET");
  CHECK_THROWS_AS(body_of(response), BodyError);
  CHECK(dlo.host.log.has("Bad MD5 checksum"));
}

TEST_CASE("dlo: more segments than a listing's page") {
  Dlo dlo({}, 2);
  dlo.app.on("GET", "/v1/a/seg?format=json&prefix=big/x_", Dlo::rows({'a', 'b'}));
  dlo.app.on("GET", "/v1/a/seg?format=json&prefix=big/x_&marker=big/x_b", Dlo::rows({'c', 'd'}));
  dlo.app.on("GET", "/v1/a/seg?format=json&prefix=big/x_&marker=big/x_d", Dlo::rows({}));
  Response whole = dlo.ask("GET");
  CHECK(whole.status == 200);
  CHECK_FALSE(whole.content_length);
  CHECK(body_of(whole) == "aaaaabbbbbcccccddddd");
  Response within = dlo.ask("GET", "/v1/a/c/big", {{"Range", "bytes=4-6"}});
  CHECK(within.status == 206);
  CHECK(within.content_length == 3U);
  CHECK(body_of(within) == "abb");
  Response unknown = dlo.ask("GET", "/v1/a/c/big", {{"Range", "bytes=-3"}});
  CHECK(unknown.status == 200);
  CHECK(body_of(unknown).size() == 20);
}

TEST_CASE("dlo: many segments are fetched slowly") {
  Dlo dlo(OptionTexts{{"rate_limit_after_segment", "1"}, {"rate_limit_segments_per_sec", "2"}});
  Response whole = dlo.ask("GET");
  body_of(whole);
  CHECK(dlo.host.time.slept() >= std::chrono::milliseconds(900));
  CHECK(dlo.host.time.slept() <= std::chrono::milliseconds(1100));
}

TEST_CASE("dlo: X-Object-Manifest of a PUT must name a container and a prefix") {
  Dlo dlo;
  dlo.app.on("PUT", "/v1/a/c/new", FakeAnswer{201, {}, ""});
  for (const char* bad : {"c", "c/", "/p", "c//p", "c/p?x", "c/p&x", ""}) {
    CAPTURE(bad);
    Response response = dlo.ask("PUT", "/v1/a/c/new", {{"X-Object-Manifest", bad}});
    CHECK(response.status == 400);
    CHECK(body_of(response) == "X-Object-Manifest must be in the format container/prefix");
  }
  CHECK(dlo.ask("PUT", "/v1/a/c/new", {{"X-Object-Manifest", "c/p/q"}}).status == 201);
}
