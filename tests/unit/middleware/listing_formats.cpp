#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

using namespace apus;
using namespace apus::testing;

namespace {

constexpr const char* kRows =
    R"([{"name": "a<b", "hash": "d41d", "bytes": 3, "content_type": "text/plain", )"
    R"("last_modified": "2026-11-22T21:25:21.082660"}, {"subdir": "photos/"}])";

// A listing_formats in front of an app that lists kRows for the container.
struct Listings {
  Listings() : filter(load_filter("listing_formats", {}, host, app)) {
    app.on("GET", "/v1/a/c", rows(kRows)).on("GET", "/v1/a/empty", rows("[]"));
  }
  static FakeAnswer rows(std::string json) {
    return {200, {{"Content-Type", "application/json; charset=utf-8"}}, std::move(json), {}, 7};
  }
  Response ask(std::string method, std::string_view target, Headers headers = {}) {
    Request request = make_request(std::move(method), target, std::move(headers));
    return (*filter)(request);
  }

  TestHost host;
  FakeApp app;
  std::unique_ptr<const App> filter;
};

}  // namespace

TEST_CASE("listing_formats: text by default") {
  Listings listings;
  Response response = listings.ask("GET", "/v1/a/c");
  CHECK(response.status == 200);
  CHECK(response.headers.get("Content-Type") == "text/plain; charset=utf-8");
  CHECK(body_of(response) == "a<b\nphotos/\n");
  CHECK(listings.app.unread_bodies().empty());
}

TEST_CASE("listing_formats: JSON passes, XML is made") {
  Listings listings;
  Response json = listings.ask("GET", "/v1/a/c?format=json");
  CHECK(json.headers.get("Content-Type") == "application/json; charset=utf-8");
  CHECK(body_of(json) == kRows);
  Response xml = listings.ask("GET", "/v1/a/c", {{"Accept", "application/xml"}});
  CHECK(xml.headers.get("Content-Type") == "application/xml; charset=utf-8");
  CHECK(xml.headers.get("Vary") == "Accept");
  const std::string text = body_of(xml);
  CHECK(text.find("<name>a&lt;b</name>") != std::string::npos);
  CHECK(text.find("<subdir name=\"photos/\">") != std::string::npos);
}

TEST_CASE("listing_formats: an empty text listing is 204") {
  Listings listings;
  Response response = listings.ask("GET", "/v1/a/empty");
  CHECK(response.status == 204);
  CHECK(response.content_length == 0);
  CHECK(response.body == nullptr);
}

TEST_CASE("listing_formats: nothing that fits Accept is 406") {
  Listings listings;
  CHECK(listings.ask("GET", "/v1/a/c", {{"Accept", "image/png"}}).status == 406);
  CHECK(listings.app.calls().empty());
}

TEST_CASE("listing_formats: what is no listing passes as it is") {
  Listings listings;
  listings.app.otherwise({200, {{"Content-Type", "application/json"}}, "{not rows"});
  for (const char* target : {"/v1/a/c/o", "/info", "/healthcheck"}) {
    CAPTURE(target);
    Response response = listings.ask("GET", target);
    CHECK(response.headers.get("Content-Type") == "application/json");
    CHECK(body_of(response) == "{not rows");
  }
  listings.app.on("GET", "/v1/a/html", {200, {{"Content-Type", "text/html"}}, "<p>"});
  Response html = listings.ask("GET", "/v1/a/html");
  CHECK(body_of(html) == "<p>");
  listings.app.on("GET", "/v1/a/gone", {404, {{"Content-Type", "text/html"}}, "gone"});
  CHECK(listings.ask("GET", "/v1/a/gone").status == 404);
}

TEST_CASE("listing_formats: JSON that cannot be read is handed on, not lost") {
  Listings listings;
  listings.app.on("GET", "/v1/a/c", Listings::rows("[{\"name\": \"a\""));
  Response response = listings.ask("GET", "/v1/a/c");
  CHECK(response.status == 200);
  CHECK(response.headers.get("Content-Type") == "application/json; charset=utf-8");
  CHECK(body_of(response) == "[{\"name\": \"a\"");
}
