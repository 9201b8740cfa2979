#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

using namespace apus;
using namespace apus::testing;

namespace {

struct Copy {
  Copy() : filter(load_filter("copy", {}, host, app)) {
    app.object("/v1/AUTH_a/c/o", "some bytes",
               {{"X-Object-Meta-Colour", "red"},
                {"Content-Type", "text/x-source"},
                {"Content-Encoding", "gzip"},
                {"X-Delete-At", "1700000999"}});
    app.on("PUT", "/v1/AUTH_a/d/p", {201, {{"Etag", "e"}}});
    app.on("PUT", "/v1/AUTH_b/d/p", {201, {{"Etag", "e"}}});
  }
  Response ask(const std::string& method, const std::string& target, Headers headers) {
    Request request = make_request(method, target, std::move(headers));
    request.content_length = 0;
    return (*filter)(request);
  }

  TestHost host;
  FakeApp app;
  std::unique_ptr<const App> filter;
};

}  // namespace

TEST_CASE("copy: a PUT with X-Copy-From carries bytes and metadata over") {
  Copy copy;
  Response response = copy.ask("PUT", "/v1/AUTH_a/d/p", {{"X-Copy-From", "/c/o"}});
  CHECK(response.status == 201);
  CHECK(response.headers.get("X-Copied-From") == "c/o");
  CHECK(response.headers.get("X-Copied-From-Account") == "AUTH_a");
  CHECK(response.headers.has("X-Copied-From-Last-Modified"));
  CHECK(response.headers.get("X-Object-Meta-Colour") == "red");
  CHECK(copy.app.lines() == std::vector<std::string>{"GET /v1/AUTH_a/c/o", "PUT /v1/AUTH_a/d/p"});
  CHECK(copy.app.calls().front().headers.get("X-Newest") == "true");
  CHECK(copy.app.calls().front().context.source == "SSC");
  const FakeCall put = copy.app.last();
  CHECK(put.body == "some bytes");
  CHECK(put.content_length == 10);
  CHECK(put.headers.get("Content-Type") == "text/x-source");
  CHECK(put.headers.get("Content-Encoding") == "gzip");
  CHECK(put.headers.get("X-Delete-At") == "1700000999");
  CHECK(put.headers.get("Etag") ==
        copy.app.calls().front().headers.get("Etag", put.headers.get("Etag")));
  CHECK_FALSE(put.headers.has("X-Copy-From"));
  CHECK(copy.app.open_bodies().empty());
}

TEST_CASE("copy: COPY is a PUT at the destination, in its own words in the log") {
  Copy copy;
  Request request = make_request("COPY", "/v1/AUTH_a/c/o",
                                 {{"Destination", "d/p"},
                                  {"Destination-Account", "AUTH_b"},
                                  {"Content-Type", "text/x-mine"},
                                  {"X-Object-Meta-Colour", "blue"}});
  Response response = (*copy.filter)(request);
  CHECK(response.status == 201);
  CHECK(request.context.original_method == "COPY");
  CHECK(response.headers.get("X-Copied-From-Account") == "AUTH_a");
  const FakeCall put = copy.app.last();
  CHECK(put.line() == "PUT /v1/AUTH_b/d/p");
  CHECK(put.headers.get("Content-Type") == "text/x-mine");
  CHECK(put.headers.get("X-Object-Meta-Colour") == "blue");
  CHECK_FALSE(put.headers.has("Destination"));
}

TEST_CASE("copy: fresh metadata leaves the source's behind, but for the system's") {
  Copy copy;
  copy.app.on("GET", "/v1/AUTH_a/c/o",
              {200,
               {{"Etag", "abc"}, {"Content-Type", "a/b"}, {"X-Object-Meta-Colour", "red"}},
               "x",
               {{"X-Object-Sysmeta-A", "1"}, {"X-Object-Transient-Sysmeta-B", "2"}}});
  copy.ask("PUT", "/v1/AUTH_a/d/p", {{"X-Copy-From", "c/o"}, {"X-Fresh-Metadata", "true"}});
  FakeCall put = copy.app.last();
  CHECK_FALSE(put.headers.has("X-Object-Meta-Colour"));
  CHECK(put.headers.get("Content-Type") == "a/b");
  CHECK(put.internal.get("X-Object-Sysmeta-A") == "1");
  CHECK_FALSE(put.internal.has("X-Object-Transient-Sysmeta-B"));
  copy.ask("PUT", "/v1/AUTH_a/d/p", {{"X-Copy-From", "c/o"}});
  put = copy.app.last();
  CHECK(put.internal.get("X-Object-Transient-Sysmeta-B") == "2");
  CHECK(put.headers.get("Etag") == "abc");
}

TEST_CASE("copy: a part of an object, a manifest's content: the digest is not that of the bytes") {
  Copy copy;
  const Headers override_etag{{"X-Object-Sysmeta-Container-Update-Override-Etag", "old"}};
  copy.app.on("GET", "/v1/AUTH_a/c/o",
              {206, {{"Etag", "abc"}, {"Content-Type", "a/b"}}, "x", override_etag});
  copy.ask("PUT", "/v1/AUTH_a/d/p", {{"X-Copy-From", "c/o"}, {"Range", "bytes=0-0"}});
  CHECK_FALSE(copy.app.last().headers.has("Etag"));
  CHECK(copy.app.last().internal.empty());
  copy.app.on(
      "GET", "/v1/AUTH_a/c/o",
      {200, {{"Etag", "abc"}, {"X-Static-Large-Object", "True"}, {"Content-Type", "a/b"}}, "x"});
  copy.ask("PUT", "/v1/AUTH_a/d/p", {{"X-Copy-From", "c/o"}});
  CHECK_FALSE(copy.app.last().headers.has("Etag"));
  CHECK_FALSE(copy.app.last().headers.has("X-Static-Large-Object"));
}

TEST_CASE("copy: a manifest itself, with multipart-manifest=get") {
  Copy copy;
  copy.app.on("GET", "/v1/AUTH_a/c/o?multipart-manifest=get&format=raw",
              {200, {{"X-Static-Large-Object", "True"}, {"Content-Type", "a/b"}}, "[]"});
  copy.app.on("PUT", "/v1/AUTH_a/d/p?multipart-manifest=put", {201});
  Response response =
      copy.ask("PUT", "/v1/AUTH_a/d/p?multipart-manifest=get", {{"X-Copy-From", "c/o"}});
  CHECK(response.status == 201);
  CHECK(copy.app.last().line() == "PUT /v1/AUTH_a/d/p?multipart-manifest=put");
  copy.app.on(
      "GET", "/v1/AUTH_a/c/o?multipart-manifest=get&format=raw",
      {200, {{"X-Object-Manifest", "c/seg"}, {"Etag", "abc"}, {"Content-Type", "a/b"}}, ""});
  copy.ask("PUT", "/v1/AUTH_a/d/p?multipart-manifest=get", {{"X-Copy-From", "c/o"}});
  CHECK(copy.app.last().line() == "PUT /v1/AUTH_a/d/p");
  CHECK(copy.app.last().headers.get("X-Object-Manifest") == "c/seg");
  CHECK(copy.app.last().headers.get("Etag") == "abc");
}

TEST_CASE("copy: what the source says stands") {
  Copy copy;
  copy.app.on("GET", "/v1/AUTH_a/c/gone", {404, {}, "no"});
  Response response = copy.ask("PUT", "/v1/AUTH_a/d/p", {{"X-Copy-From", "c/gone"}});
  CHECK(response.status == 404);
  CHECK(copy.app.lines() == std::vector<std::string>{"GET /v1/AUTH_a/c/gone"});
  copy.app.on("GET", "/v1/AUTH_a/c/endless", [](Request&) {
    Response out(200, "x");
    out.content_length.reset();
    return out;
  });
  CHECK(copy.ask("PUT", "/v1/AUTH_a/d/p", {{"X-Copy-From", "c/endless"}}).status == 413);
}

TEST_CASE("copy: malformed requests") {
  Copy copy;
  for (const char* from : {"c", "/c", "c/", "//o", "%2Fc"}) {
    CAPTURE(from);
    Response response = copy.ask("PUT", "/v1/AUTH_a/d/p", {{"X-Copy-From", from}});
    CHECK(response.status == 412);
    CHECK(body_of(response) ==
          "X-Copy-From header must be of the form <container name>/<object name>");
    Response other = copy.ask("COPY", "/v1/AUTH_a/c/o", {{"Destination", from}});
    CHECK(other.status == 412);
  }
  Response missing = copy.ask("COPY", "/v1/AUTH_a/c/o", {});
  CHECK(missing.status == 412);
  CHECK(body_of(missing) == "Destination header required");
  CHECK(copy.ask("PUT", "/v1/AUTH_a/d/p", {{"X-Copy-From", "c/o"}, {"X-Copy-From-Account", "a/b"}})
            .status == 412);
  Request request = make_request("PUT", "/v1/AUTH_a/d/p", {{"X-Copy-From", "c/o"}});
  request.content_length = 1;
  request.body = std::make_unique<StringSource>("x");
  Response response = (*copy.filter)(request);
  CHECK(response.status == 400);
  CHECK(body_of(response) == "Copy requests require a zero byte body");
  CHECK(copy.app.calls().empty());
}

TEST_CASE("copy: OPTIONS offers COPY, once") {
  Copy copy;
  copy.app.on("OPTIONS", "/v1/AUTH_a/c/o",
              {200, {{"Allow", "GET, PUT"}, {"Access-Control-Allow-Methods", "GET, COPY"}}});
  Response response = copy.ask("OPTIONS", "/v1/AUTH_a/c/o", {});
  CHECK(response.headers.get("Allow") == "GET, PUT, COPY");
  CHECK(response.headers.get("Access-Control-Allow-Methods") == "GET, COPY");
}

TEST_CASE("copy: other requests pass as they are") {
  Copy copy;
  copy.app.otherwise({200});
  CHECK(copy.ask("COPY", "/v1/AUTH_a/c", {{"Destination", "d/p"}}).status == 200);
  CHECK(copy.ask("PUT", "/v1/AUTH_a/d/p", {{"X-Copy-From", ""}}).status == 201);
  CHECK(copy.app.calls().size() == 2);
}
