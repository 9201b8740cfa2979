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

TEST_CASE("listing_formats: names with NUL are hidden in every form") {
  Listings listings;
  listings.app.on("GET", "/v1/a/c",
                  Listings::rows(R"([{"name": "\u0000versions\u0000b", "hash": "d", "bytes": 3, )"
                                 R"("content_type": "t", "last_modified": "m"}, )"
                                 R"({"subdir": "\u0000x"}, {"subdir": "y"}])"));
  for (const char* format : {"plain", "json", "xml"}) {
    CAPTURE(format);
    Response response = listings.ask("GET", std::string("/v1/a/c?format=") + format);
    const std::string text = body_of(response);
    CHECK(text.find("versions") == std::string::npos);
    CHECK(text.find('y') != std::string::npos);
  }
  CHECK(listings.host.log.has("Container listing for a/c had reserved byte"));
  Request request = make_request("GET", "/v1/a/c?format=json");
  request.context.allow_reserved_names = true;
  Response all = (*listings.filter)(request);
  CHECK(body_of(all).find("versions") != std::string::npos);
}

TEST_CASE("listing_formats: Vary is added to, and only where Accept could matter") {
  Listings listings;
  const auto vary = [&](const char* target, const char* below) {
    FakeAnswer rows = Listings::rows("[]");
    if (*below != '\0') rows.headers.set("Vary", below);
    listings.app.on("GET", "/v1/a/c", rows);
    return std::string(listings.ask("GET", target).headers.get("Vary"));
  };
  CHECK(vary("/v1/a/c", "") == "Accept");
  CHECK(vary("/v1/a/c", "Origin") == "Origin, Accept");
  CHECK(vary("/v1/a/c", "accept, Origin") == "accept, Origin");
  CHECK(vary("/v1/a/c?format=json", "Origin") == "Origin");
  CHECK(vary("/v1/a/c?format=", "").empty());
}

TEST_CASE("listing_formats: below it format=json is asked for") {
  Listings listings;
  listings.app.otherwise(Listings::rows("[]"));
  listings.ask("GET", "/v1/a/c?prefix=x&format=xml");
  CHECK(listings.app.last().line() == "GET /v1/a/c?prefix=x&format=json");
}

TEST_CASE("listing_formats: an empty format is none, a strange one is text, a broken one is 400") {
  Listings listings;
  CHECK(listings.ask("GET", "/v1/a/c?format=", {{"Accept", "text/xml"}})
            .headers.get("Content-Type") == "text/xml; charset=utf-8");
  CHECK(listings.ask("GET", "/v1/a/c?format=yaml").headers.get("Content-Type") ==
        "text/plain; charset=utf-8");
  Response broken = listings.ask("GET", "/v1/a/c?format=%ff");
  CHECK(broken.status == 400);
  CHECK(body_of(broken) == "\"format\" parameter not valid UTF-8");
}

TEST_CASE("listing_formats: HEAD tells the type, 404 and unsized bodies pass untouched") {
  Listings listings;
  listings.app.on("HEAD", "/v1/a/c",
                  {204, {{"Content-Type", "application/json; charset=utf-8"}}, ""});
  Response head = listings.ask("HEAD", "/v1/a/c");
  CHECK(head.status == 204);
  CHECK(head.headers.get("Content-Type") == "text/plain; charset=utf-8");
  listings.app.on("GET", "/v1/a/c", [](Request&) {
    Response out(200);
    out.headers.set("Content-Type", "application/json");
    out.content_length.reset();
    out.body = std::make_unique<StringSource>("[]");
    return out;
  });
  Response chunked = listings.ask("GET", "/v1/a/c");
  CHECK_FALSE(chunked.content_length);
  CHECK(body_of(chunked) == "[]");
}

TEST_CASE("listing_formats: rows that lack what a form needs are handed on") {
  Listings listings;
  for (const char* odd : {R"([{"name": "a"}])", R"(["a"])", R"({"name": "a"})",
                          R"([[{"name": "a"}]])", "3", R"([{"bytes": 3}])"}) {
    CAPTURE(odd);
    listings.app.on("GET", "/v1/a/c", Listings::rows(odd));
    Response response = listings.ask("GET", "/v1/a/c?format=xml");
    CHECK(response.headers.get("Content-Type") == "application/json; charset=utf-8");
    CHECK(body_of(response) == odd);
  }
  listings.app.on("GET", "/v1/a/c", Listings::rows(R"([{"name": "a"}])"));
  Response names = listings.ask("GET", "/v1/a/c");
  CHECK(body_of(names) == "a\n");
}
