#include <apus/digest.h>
#include <apus/json.h>
#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <latch>
#include <stdexcept>
#include <vector>

using namespace apus;
using namespace apus::testing;

namespace {

std::string five(char letter) { return std::string(5, letter); }

std::string row(const std::string& name, std::size_t bytes, const std::string& hash,
                const std::string& more = "") {
  return R"({"name": ")" + name + R"(", "bytes": )" + std::to_string(bytes) + R"(, "hash": ")" +
         hash + R"(", "content_type": "t", "last_modified": "2026-01-01T00:00:00.000000")" + more +
         "}";
}

struct Slo {
  explicit Slo(const OptionTexts& options = {}) : filter(load_filter("slo", options, host, app)) {
    for (const char letter : {'a', 'b', 'c', 'd'})
      app.object(std::string("/v1/a/seg/") + letter, five(letter));
  }
  // A stored manifest.
  void manifest(const std::string& path, const std::string& json, Headers headers = {}) {
    headers.set("X-Static-Large-Object", "True");
    headers.set("Etag", md5_hex(json));
    headers.set("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT");
    headers.set("Content-Type", "video/mp4");
    app.on("GET", path, FakeAnswer{200, headers, json, {{"X-Backend-Timestamp", "1.00000"}}});
  }
  static std::string row_of(char letter, const std::string& more = "") {
    return row(std::string("/seg/") + letter, 5, md5_hex(five(letter)), more);
  }
  Response ask(std::string method, std::string_view target, Headers headers = {},
               std::optional<std::string> body = std::nullopt) {
    Request request = make_request(std::move(method), target, std::move(headers), std::move(body));
    return (*filter)(request);
  }
  std::string text(std::string_view target, Headers headers = {}) {
    Response response = ask("GET", target, std::move(headers));
    return std::to_string(response.status) + " " + body_of(response);
  }

  TestHost host;
  FakeApp app;
  std::unique_ptr<const App> filter;
};

std::string entry(const std::string& path, const std::string& more = "") {
  return R"({"path": ")" + path + "\"" + more + "}";
}

}  // namespace

TEST_CASE("slo: a manifest is read as its segments") {
  Slo slo;
  slo.manifest("/v1/a/c/big", "[" + Slo::row_of('a') + ", " + Slo::row_of('b') + "]");
  Response whole = slo.ask("GET", "/v1/a/c/big");
  CHECK(whole.status == 200);
  CHECK(whole.content_length == 10U);
  const std::string etag = md5_hex(md5_hex(five('a')) + md5_hex(five('b')));
  CHECK(whole.headers.get("Etag") == "\"" + etag + "\"");
  CHECK(whole.headers.has("X-Manifest-Etag"));
  CHECK(whole.headers.get("Content-Type") == "video/mp4");
  CHECK(body_of(whole) == "aaaaabbbbb");
  Response head = slo.ask("HEAD", "/v1/a/c/big");
  CHECK(head.content_length == 10U);
  CHECK(head.headers.get("Etag") == "\"" + etag + "\"");
  CHECK(slo.ask("GET", "/v1/a/c/big", {{"If-None-Match", etag}}).status == 304);
  CHECK(slo.ask("GET", "/v1/a/c/big", {{"If-Match", "x"}}).status == 412);
}

TEST_CASE("slo: HEAD of a manifest whose size is stored beside it reads nothing") {
  Slo slo;
  slo.app.on("HEAD", "/v1/a/c/big",
             FakeAnswer{200,
                        {{"X-Static-Large-Object", "True"}, {"Etag", "m"}},
                        "",
                        {{"X-Object-Sysmeta-Slo-Etag", "e"}, {"X-Object-Sysmeta-Slo-Size", "99"}}});
  Response head = slo.ask("HEAD", "/v1/a/c/big");
  CHECK(head.content_length == 99U);
  CHECK(head.headers.get("Etag") == "\"e\"");
  CHECK(head.headers.get("X-Manifest-Etag") == "m");
  CHECK(slo.app.calls().size() == 1);
  const Headers internal = slo.app.last().internal;
  CHECK(internal.get("X-Backend-Etag-Is-At") == "X-Object-Sysmeta-Slo-Etag");
  CHECK(internal.get("X-Backend-Ignore-Range-If-Metadata-Present") == "X-Static-Large-Object");
}

TEST_CASE("slo: ranges of the whole, ranges of segments, inline data, manifests within") {
  Slo slo;
  slo.manifest("/v1/a/seg/sub", "[" + Slo::row_of('c') + ", " + Slo::row_of('d') + "]");
  slo.manifest("/v1/a/c/big",
               "[" + Slo::row_of('a', R"(, "range": "1-3")") + R"(, {"data": "WFla"}, )" +
                   row("/seg/sub", 10, "h", R"(, "sub_slo": true)") + ", " +
                   row("/seg/sub", 10, "h", R"(, "range": "4-5", "sub_slo": true)") + "]");
  // aaa XYZ cccccddddd cd
  CHECK(slo.text("/v1/a/c/big") == "200 aaaXYZcccccdddddcd");
  CHECK(slo.text("/v1/a/c/big", {{"Range", "bytes=2-6"}}) == "206 aXYZc");
  CHECK(slo.text("/v1/a/c/big", {{"Range", "bytes=-3"}}) == "206 dcd");
  CHECK(slo.text("/v1/a/c/big", {{"Range", "bytes=16-16"}}) == "206 c");
  CHECK(slo.ask("GET", "/v1/a/c/big", {{"Range", "bytes=18-"}}).status == 416);
  Response several = slo.ask("GET", "/v1/a/c/big", {{"Range", "bytes=0-1,4-7"}});
  CHECK(several.status == 206);
  CHECK(several.headers.get("Content-Type").starts_with("multipart/byteranges;boundary="));
  const std::string parts = body_of(several);
  CHECK(parts.find("\r\n\r\naa\r\n") != std::string::npos);
  CHECK(parts.find("\r\n\r\nYZcc\r\n") != std::string::npos);
  // A range that lies elsewhere does not touch a manifest.
  slo.app.clear_calls();
  slo.text("/v1/a/c/big", {{"Range", "bytes=0-2"}});
  for (const std::string& line : slo.app.lines()) CHECK(line.find("sub") == std::string::npos);
}

TEST_CASE("slo: one part by its number") {
  Slo slo;
  slo.manifest("/v1/a/c/big", "[" + Slo::row_of('a') + ", " + Slo::row_of('b') + "]");
  Response second = slo.ask("GET", "/v1/a/c/big?part-number=2");
  CHECK(second.status == 206);
  CHECK(second.headers.get("Content-Range") == "bytes 5-9/10");
  CHECK(second.headers.get("X-Parts-Count") == "2");
  CHECK(body_of(second) == "bbbbb");
  Response head = slo.ask("HEAD", "/v1/a/c/big?part-number=1");
  CHECK(head.status == 206);
  CHECK(head.content_length == 5U);
  CHECK(slo.text("/v1/a/c/big?part-number=3") ==
        "416 The requested part number is not satisfiable");
  CHECK(slo.text("/v1/a/c/big?part-number=0") ==
        "400 Part number must be an integer greater than 0");
  CHECK(slo.text("/v1/a/c/big?part-number=x") ==
        "400 Part number must be an integer greater than 0");
  CHECK(slo.text("/v1/a/c/big?part-number=1", {{"Range", "bytes=0-1"}}) ==
        "400 Range requests are not supported with part number queries");
}

TEST_CASE("slo: the manifest as stored and as it was put") {
  Slo slo;
  const std::string json =
      "[" + Slo::row_of('a', R"(, "range": "1-3", "sub_slo": true)") + R"(, {"data": "WFla"}])";
  slo.manifest("/v1/a/c/big", json);
  Response stored = slo.ask("GET", "/v1/a/c/big?multipart-manifest=get");
  CHECK(stored.headers.get("Content-Type") == "application/json; charset=utf-8");
  CHECK(body_of(stored) == json);
  Response raw = slo.ask("GET", "/v1/a/c/big?multipart-manifest=get&format=raw");
  const std::string text = body_of(raw);
  CHECK(text == R"([{"etag": ")" + md5_hex(five('a')) +
                    R"(", "path": "/seg/a", "range": "1-3", "size_bytes": 5}, {"data": "WFla"}])");
  CHECK(raw.headers.get("Etag") == md5_hex(text));
}

TEST_CASE("slo: segments that changed, vanished or nest for ever") {
  Slo slo;
  slo.manifest("/v1/a/c/big", "[" + row("/seg/a", 5, "other") + "]");
  CHECK(slo.ask("GET", "/v1/a/c/big").status == 409);
  slo.manifest("/v1/a/c/big", "[" + row("/seg/a", 6, md5_hex(five('a'))) + "]");
  CHECK(slo.ask("GET", "/v1/a/c/big").status == 409);
  slo.manifest("/v1/a/c/big", "[" + Slo::row_of('a') + ", " + row("/seg/zz", 5, "h") + "]");
  slo.app.on("GET", "/v1/a/seg/zz", FakeAnswer{404, {}, "gone"});
  Response late = slo.ask("GET", "/v1/a/c/big");
  CHECK(late.status == 200);
  CHECK_THROWS_AS(body_of(late), BodyError);
  slo.manifest("/v1/a/c/big", "[" + row("/c/big", 5, "h", R"(, "sub_slo": true)") + "]");
  CHECK(slo.ask("GET", "/v1/a/c/big").status == 409);
  CHECK(slo.host.log.has("max recursion depth was exceeded"));
  slo.app.on("GET", "/v1/a/seg/a", FakeAnswer{503, {}, "later"});
  slo.manifest("/v1/a/c/big", "[" + Slo::row_of('a') + "]");
  CHECK(slo.ask("GET", "/v1/a/c/big").status == 503);
}

TEST_CASE("slo: a manifest that is none is told, not served") {
  Slo slo;
  for (const std::string& junk :
       {std::string("{"), std::string("{}"), std::string("[3]"), std::string("[{}]"),
        "[" + row("/seg/a", 5, "h", R"(, "range": "5-1")") + "]",
        "[" + row("/seg/a", 5, "h", R"(, "range": "x")") + "]", std::string(R"([{"data": 5}])"),
        std::string(R"([{"name": "/a/b", "bytes": -1}])"),
        R"([{"name": "/a/b", "bytes": 9223372036854775807}, )" + Slo::row_of('a') + "]"}) {
    CAPTURE(junk);
    slo.manifest("/v1/a/c/big", junk);
    CHECK(slo.ask("GET", "/v1/a/c/big").status == 500);
  }
}

TEST_CASE("slo: a manifest is stored as Swift stores it") {
  Slo slo;
  slo.app.on("PUT", "/v1/a/c/big", FakeAnswer{201, {{"Etag", "m"}, {"Last-Modified", "now"}}, ""});
  slo.app.object("/v1/a/seg/a", "aaaaa",
                 {{"Content-Type", "text/plain; charset=x"},
                  {"Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT"}});
  const std::string put =
      "[" + entry("/seg/a", R"(, "etag": ")" + md5_hex(five('a')) + R"(", "size_bytes": "5")") +
      ", " + entry("seg/a", R"(, "range": "1-2")") + R"(, {"data": "WFla=="}])";
  Response done =
      slo.ask("PUT", "/v1/a/c/big?multipart-manifest=put", {{"Content-Type", "video/mp4"}}, put);
  CHECK(done.status == 201);
  const FakeCall stored = slo.app.last();
  const std::string common = R"("bytes": 5, "hash": ")" + md5_hex(five('a')) +
                             R"(", "content_type": "text/plain", )"
                             R"("last_modified": "2026-01-01T00:00:00.000000")";
  const std::string json = R"([{"name": "/seg/a", )" + common + R"(}, {"name": "/seg/a", )" +
                           common + R"(, "range": "1-2"}, {"data": "WFla"}])";
  CHECK(stored.body == json);
  const std::string etag =
      md5_hex(md5_hex(five('a')) + md5_hex(five('a')) + ":1-2;" + md5_hex("XYZ"));
  CHECK(done.headers.get("Etag") == "\"" + etag + "\"");
  CHECK(stored.headers.get("Etag") == md5_hex(json));
  CHECK(stored.headers.get("Content-Type") == "video/mp4;swift_bytes=10");
  CHECK(stored.headers.get("X-Static-Large-Object") == "True");
  CHECK(stored.internal.get("X-Object-Sysmeta-Slo-Etag") == etag);
  CHECK(stored.internal.get("X-Object-Sysmeta-Slo-Size") == "10");
  CHECK(stored.internal.get("X-Object-Sysmeta-Container-Update-Override-Etag") ==
        md5_hex(json) + "; slo_etag=" + etag);
  CHECK(stored.context.content_type_overridden);
}

TEST_CASE("slo: what is wrong with a manifest is said, entry by entry") {
  Slo slo;
  const auto put = [&](const std::string& text) {
    Response response = slo.ask("PUT", "/v1/a/c/big?multipart-manifest=put", {}, text);
    return std::to_string(response.status) + " " + body_of(response);
  };
  CHECK(put("{") == "400 Manifest must be valid JSON.\n");
  CHECK(put("{}") == "400 Manifest must be a list.\n");
  CHECK(put("[3]") == "400 Index 0: not a JSON object\n");
  CHECK(put("[{}]") == "400 Index 0: expected keys to include one of 'data' or 'path'\n");
  CHECK(put("[" + entry("/a/b", R"(, "z": 1, "b": 2)") + "]") ==
        "400 Index 0: extraneous keys \"b\", \"z\"\n");
  CHECK(put(R"([{"path": 3}])") == "400 Index 0: \"path\" must be a string\n");
  CHECK(put("[" + entry("/a/b", R"(, "etag": 3)") + "]") ==
        "400 Index 0: \"etag\" must be a string or null (if provided)\n");
  CHECK(put("[" + entry("/a/") + "]") ==
        "400 Index 0: path does not refer to an object. Path must be of the form "
        "/container/object.\n");
  CHECK(put("[" + entry("/a/b", R"(, "size_bytes": "x")") + "]") ==
        "400 Index 0: invalid size_bytes\n");
  CHECK(put("[" + entry("/a/b", R"(, "size_bytes": 0)") + ", " + entry("/a/b") + "]") ==
        "400 Index 0: too small; each segment must be at least 1 byte.\n");
  CHECK(put("[" + entry("/c/big") + "]") ==
        "400 Index 0: manifest must not include itself as a segment\n");
  CHECK(put("[" + entry("/a/b", R"(, "range": "x")") + "]") == "400 Index 0: invalid range\n");
  CHECK(put("[" + entry("/a/b", R"(, "range": "1-2,4-5")") + "]") ==
        "400 Index 0: multiple ranges (only one allowed)\n");
  CHECK(put("[" + entry("/a/b", R"(, "range": "9-", "size_bytes": 5)") + "]") ==
        "400 Index 0: unsatisfiable range\n");
  CHECK(put(R"([{"data": "?"}, )" + entry("/a/b") + "]") ==
        "400 Index 0: data must be valid base64\n");
  CHECK(put(R"([{"data": "YQ"}, )" + entry("/a/b") + "]") ==
        "400 Index 0: data must be valid base64\n");
  CHECK(put(R"([{"data": ""}, )" + entry("/a/b") + "]") ==
        "400 Index 0: too small; each segment must be at least 1 byte.\n");
  CHECK(put(R"([{"data": "WFla"}])") ==
        "400 Inline data segments require at least one object-backed segment.\n");
  CHECK(slo.app.calls().empty());
}

TEST_CASE("slo: segments that are not what the manifest says") {
  Slo slo;
  slo.app.object("/v1/a/seg/empty", "");
  slo.app.on("HEAD", "/v1/a/seg/zz", FakeAnswer{404, {}, ""});
  const std::string put = "[" + entry("/seg/zz") + ", " +
                          entry("/seg/a", R"(, "etag": "x", "size_bytes": 9)") + ", " +
                          entry("/seg/b", R"(, "range": "7-")") + ", " + entry("/seg/empty") +
                          ", " + entry("/seg/c") + "]";
  const auto ask = [&](const char* accept) {
    Response response =
        slo.ask("PUT", "/v1/a/c/big?multipart-manifest=put", {{"Accept", accept}}, put);
    CHECK(response.status == 400);
    return body_of(response);
  };
  CHECK(ask("text/plain") ==
        "Errors:\n/seg/a, Size Mismatch\n/seg/a, Etag Mismatch\n/seg/b, Unsatisfiable Range\n"
        "/seg/empty, Too small; each segment must be at least 1 byte.\n/seg/zz, 404 Not Found\n");
  CHECK(ask("application/json").starts_with(R"({"Errors": [["/seg/a", "Size Mismatch"], )"));
  CHECK(ask("text/xml")
            .starts_with("<upload>\n<errors>\n<object><name>/seg/a</name><status>Size "
                         "Mismatch</status></object>\n"));
}

TEST_CASE("slo: limits of a PUT") {
  Slo slo(OptionTexts{{"max_manifest_segments", "2"}, {"max_manifest_size", "200"}});
  const auto put = [&](const std::string& text, Headers headers = {}) {
    Response response =
        slo.ask("PUT", "/v1/a/c/big?multipart-manifest=put", std::move(headers), text);
    return std::to_string(response.status) + " " + body_of(response);
  };
  const std::string three =
      "[" + entry("/seg/a") + ", " + entry("/seg/b") + ", " + entry("/seg/c") + "]";
  CHECK(put(three) == "413 Number of object-backed segments must be <= 2");
  CHECK(put(std::string(201, ' ')) == "413 Manifest File > 200 bytes");
  CHECK(put("[]", {{"X-Copy-From", "c/o"}}) ==
        "405 Multipart Manifest PUTs cannot be COPY requests");
  CHECK(put("[" + entry("/seg/a") + "]", {{"Etag", "wrong"}}).starts_with("422 "));
  Request chunked = make_request("PUT", "/v1/a/c/big?multipart-manifest=put");
  chunked.chunked = true;
  chunked.body = std::make_unique<PieceSource>(std::string(201, ' '), 7);
  CHECK((*slo.filter)(chunked).status == 413);
}

TEST_CASE("slo: a heartbeat while segments are looked at") {
  Slo slo(OptionTexts{{"yield_frequency", "1"}});
  slo.app.on("PUT", "/v1/a/c/big", FakeAnswer{201, {{"Etag", "m"}, {"Last-Modified", "then"}}, ""});
  slo.app.on("HEAD", "/v1/a/seg/b", [&](Request&) {
    slo.host.time.advance(std::chrono::seconds(5));
    Response out(200);
    out.headers.set("Etag", md5_hex(five('b')));
    out.content_length = 5;
    return out;
  });
  const std::string put =
      "[" + entry("/seg/a") + ", " + entry("/seg/b") + ", " + entry("/seg/c") + "]";
  Response response = slo.ask("PUT", "/v1/a/c/big?multipart-manifest=put&heartbeat=on",
                              {{"Accept", "application/json"}}, put);
  CHECK(response.status == 202);
  const std::string text = body_of(response);
  REQUIRE(text.starts_with("  \r\n\r\n{"));
  const auto result = Json::parse(text.substr(6));
  REQUIRE(result);
  CHECK(*result->find("Response Status")->text() == "201 Created");
  CHECK(*result->find("Last Modified")->text() == "then");
  Response bad = slo.ask("PUT", "/v1/a/c/big?multipart-manifest=put&heartbeat=on", {},
                         "[" + entry("/seg/a", R"(, "etag": "x")") + "]");
  CHECK(bad.status == 202);
  CHECK(
      body_of(bad) ==
      " \r\n\r\nResponse Body: Bad Request\nThe server could not comply with the request since "
      "it is either malformed or otherwise incorrect.\nResponse Status: 400 Bad Request\nErrors:\n"
      "/seg/a, Etag Mismatch\n");
}

TEST_CASE("slo: as many segments are looked at at once as concurrency says") {
  Slo slo(OptionTexts{{"concurrency", "3"}});
  slo.app.on("PUT", "/v1/a/c/big", FakeAnswer{201, {{"Etag", "m"}}, ""});
  // Ends only when three of them meet.
  std::latch meet(3);
  for (const char letter : {'a', 'b', 'c'}) {
    slo.app.on("HEAD", std::string("/v1/a/seg/") + letter, [&meet, letter](Request&) {
      meet.arrive_and_wait();
      Response out(200);
      out.headers.set("Etag", md5_hex(five(letter)));
      out.content_length = 5;
      return out;
    });
  }
  Response stored =
      slo.ask("PUT", "/v1/a/c/big?multipart-manifest=put", {},
              "[" + entry("/seg/c") + ", " + entry("/seg/a") + ", " + entry("/seg/b") + "]");
  CHECK(stored.status == 201);
  // In the manifest's order, whoever answered first.
  CHECK(stored.headers.get("Etag") ==
        "\"" + md5_hex(md5_hex(five('c')) + md5_hex(five('a')) + md5_hex(five('b'))) + "\"");
}

TEST_CASE("slo: a look that fails ends the PUT, with helpers or without") {
  for (const char* concurrency : {"1", "4"}) {
    Slo slo(OptionTexts{{"concurrency", concurrency}});
    slo.app.on("HEAD", "/v1/a/seg/b",
               [](Request&) -> Response { throw std::runtime_error("gone wrong"); });
    CHECK_THROWS_AS(slo.ask("PUT", "/v1/a/c/big?multipart-manifest=put", {},
                            "[" + entry("/seg/a") + ", " + entry("/seg/b") + "]"),
                    std::runtime_error);
  }
}

TEST_CASE("slo: async, segments are left to the expirer and the manifest goes at once") {
  Slo slo(OptionTexts{{"allow_async_delete", "yes"}});
  const std::string target = "/v1/a/c/big?multipart-manifest=delete&async=on";
  slo.app.on("HEAD", "/v1/a", {204}).on("HEAD", "/v1/a/c", {204}).on("HEAD", "/v1/a/seg", {204});
  slo.manifest("/v1/a/c/big",
               "[" + Slo::row_of('a') + R"(, {"data": "WFla"}, )" + Slo::row_of('b') + "]");
  slo.app.on("DELETE", "/v1/a/c/big", FakeAnswer{204, {}, ""});
  slo.app.otherwise({201});
  CHECK(slo.ask("DELETE", target).status == 204);
  const auto calls = slo.app.calls();
  const auto queued = std::find_if(calls.begin(), calls.end(),
                                   [](const FakeCall& call) { return call.method == "UPDATE"; });
  REQUIRE(queued != calls.end());
  CHECK(queued->path.starts_with("/v1/.expiring_objects/"));
  CHECK(queued->internal.get("X-Backend-Allow-Private-Methods") == "True");
  const auto rows = Json::parse(queued->body.value_or(""));
  REQUIRE(rows);
  REQUIRE(rows->array()->size() == 2);
  CHECK(*(*rows->array())[0].find("name")->text() == "1700000000.00000-a/seg/a");
  CHECK(*(*rows->array())[1].find("name")->text() == "1700000000.00000-a/seg/b");
  CHECK(*(*rows->array())[0].find("content_type")->text() == "application/async-deleted");
  CHECK(*(*rows->array())[0].find("created_at")->text() == "1700000000.00000");
  // Only the manifest is deleted by name.
  for (const std::string& line : slo.app.lines()) {
    if (line.starts_with("DELETE")) CHECK(line.starts_with("DELETE /v1/a/c/big"));
  }
}

TEST_CASE("slo: async, what is not left to the expirer") {
  Slo slo(OptionTexts{{"allow_async_delete", "yes"}});
  const std::string target = "/v1/a/c/big?multipart-manifest=delete&async=on";
  slo.app.on("HEAD", "/v1/a", {204}).on("HEAD", "/v1/a/c", {204}).on("HEAD", "/v1/a/seg", {204});
  const auto ask = [&](const std::string& json, bool allowed = true) {
    slo.app.clear_calls();
    slo.manifest("/v1/a/c/big", json);
    Request request = make_request("DELETE", target);
    if (!allowed) {
      request.context.authorize = [](Request&) -> std::optional<Response> {
        return error_response(403);
      };
    }
    Response out = (*slo.filter)(request);
    for (const std::string& line : slo.app.lines()) CHECK_FALSE(line.starts_with("DELETE"));
    return std::to_string(out.status) + " " + body_of(out);
  };
  const std::string one = "[" + Slo::row_of('a') + "]";
  CHECK(ask("[" + Slo::row_of('a') + ", " + row("/other/x", 5, "h") + "]") ==
        "400 All segments must be in one container. Found segments in \"other\", \"seg\"");
  CHECK(ask("[" + row("/seg/sub", 5, "h", R"(, "sub_slo": true)") + "]") ==
        "400 No segments may be large objects.");
  CHECK(ask(one, false).starts_with("403"));
  slo.app.otherwise({507});
  CHECK(ask(one).starts_with("503"));
  CHECK(slo.host.log.has("Failed to enqueue expiration entries"));
  slo.app.object("/v1/a/c/big", "plain");
  CHECK(slo.ask("DELETE", target).status == 400);
  // Not allowed: as without async.
  Slo plain;
  plain.manifest("/v1/a/c/big", one);
  plain.app.on("DELETE", "/v1/a/c/big", FakeAnswer{204, {}, ""});
  plain.app.on("DELETE", "/v1/a/seg/a", FakeAnswer{204, {}, ""});
  Response out = plain.ask("DELETE", target);
  CHECK(body_of(out).find("Number Deleted: 2") != std::string::npos);
}

TEST_CASE("slo: a delete that takes its time sends white space, for XML the declaration first") {
  for (const auto& [type, blank] : {std::pair{"application/json", " "},
                                    {"text/xml", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"}}) {
    Slo slo(OptionTexts{{"yield_frequency", "1"}});
    slo.manifest("/v1/a/c/big", "[" + Slo::row_of('a') + ", " + Slo::row_of('b') + "]");
    for (const char* path : {"/v1/a/seg/a", "/v1/a/seg/b", "/v1/a/c/big"}) {
      slo.app.on("DELETE", path, [&slo](Request&) {
        slo.host.time.advance(std::chrono::seconds(5));
        return Response(204);
      });
    }
    Response out = slo.ask("DELETE", "/v1/a/c/big?multipart-manifest=delete", {{"Accept", type}});
    const std::string text = body_of(out);
    CAPTURE(text);
    CHECK(text.starts_with(std::string(blank) + " \r\n\r\n"));
    CHECK(text.find("3") != std::string::npos);
  }
}

TEST_CASE("slo: segments are deleted, then the manifest") {
  Slo slo;
  slo.manifest("/v1/a/seg/sub", "[" + Slo::row_of('c') + "]");
  slo.manifest("/v1/a/c/big", "[" + Slo::row_of('a') + R"(, {"data": "WFla"}, )" +
                                  row("/seg/sub", 5, "h", R"(, "sub_slo": true)") + "]");
  for (const char* path : {"/v1/a/seg/a", "/v1/a/seg/c", "/v1/a/seg/sub", "/v1/a/c/big"})
    slo.app.on("DELETE", path, FakeAnswer{204, {}, ""});
  slo.app.on("DELETE", "/v1/a/seg/c", FakeAnswer{404, {}, ""});
  Response response =
      slo.ask("DELETE", "/v1/a/c/big?multipart-manifest=delete", {{"Accept", "application/json"}});
  CHECK(response.status == 200);
  CHECK(body_of(response) ==
        R"({"Response Status": "200 OK", "Response Body": "", "Number Deleted": 3, )"
        R"("Number Not Found": 1, "Errors": []})");
  std::vector<std::string> deleted;
  for (const std::string& line : slo.app.lines()) {
    if (line.starts_with("DELETE")) deleted.push_back(line);
  }
  CHECK(deleted == std::vector<std::string>{"DELETE /v1/a/seg/a", "DELETE /v1/a/c/big",
                                            "DELETE /v1/a/seg/c", "DELETE /v1/a/seg/sub"});
}

TEST_CASE("slo: what cannot be deleted is told") {
  Slo slo;
  const auto ask = [&] {
    Response response = slo.ask("DELETE", "/v1/a/c/big?multipart-manifest=delete");
    return body_of(response);
  };
  slo.app.on("GET", "/v1/a/c/big", FakeAnswer{404, {}, ""});
  CHECK(ask() ==
        "Number Deleted: 0\nNumber Not Found: 1\nResponse Body: \nResponse Status: 200 OK\n"
        "Errors:\n");
  slo.app.object("/v1/a/c/big", "plain");
  CHECK(ask() ==
        "Number Deleted: 0\nNumber Not Found: 0\nResponse Body: \n"
        "Response Status: 400 Bad Request\nErrors:\n/c/big, Not an SLO manifest\n");
  slo.manifest("/v1/a/c/big", "[" + Slo::row_of('a') + "]");
  slo.app.on("DELETE", "/v1/a/seg/a", FakeAnswer{503, {}, ""});
  slo.app.on("DELETE", "/v1/a/c/big", FakeAnswer{204, {}, ""});
  CHECK(ask() ==
        "Number Deleted: 1\nNumber Not Found: 0\nResponse Body: \n"
        "Response Status: 502 Bad Gateway\nErrors:\n/seg/a, 503 Service Unavailable\n");
}

TEST_CASE("slo: listings show a large object's own ETag") {
  Slo slo;
  slo.app.on("GET", "/v1/a/c",
             FakeAnswer{200,
                        {{"Content-Type", "application/json"}},
                        R"([{"hash": "m; slo_etag=e; s3_etag=s", "name": "x"}, {"subdir": "d"}])"});
  CHECK(slo.text("/v1/a/c") ==
        R"(200 [{"hash": "m; s3_etag=s", "name": "x", "slo_etag": "\"e\""}, {"subdir": "d"}])");
}

TEST_CASE("slo: the marker of a manifest is not a client's to set") {
  Slo slo;
  Response response =
      slo.ask("PUT", "/v1/a/c/o", {{"X-Static-Large-Object", "true"}}, std::string("x"));
  CHECK(response.status == 400);
  slo.app.on("PUT", "/v1/a/c/o", FakeAnswer{201, {}, ""});
  Request synced = make_request("PUT", "/v1/a/c/o", {{"X-Static-Large-Object", "true"}}, "x");
  synced.context.slo_override = true;
  CHECK((*slo.filter)(synced).status == 201);
}
