#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

#include <cstdio>

using namespace apus;
using namespace apus::testing;

namespace {

// One ustar member, padded to blocks.
std::string member(const std::string& name, const std::string& bytes, char type = '0') {
  std::string head(512, '\0');
  const auto put = [&](std::size_t at, const std::string& text) {
    head.replace(at, text.size(), text);
  };
  char size[16];
  std::snprintf(size, sizeof size, "%011zo", bytes.size());
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, size);
  put(136, "00000000000");
  put(148, "        ");
  head[156] = type;
  put(257, std::string("ustar\0"
                       "00",
                       8));
  unsigned sum = 0;
  for (const char c : head) sum += static_cast<unsigned char>(c);
  char check[16];
  std::snprintf(check, sizeof check, "%06o", sum);
  put(148, std::string(check) + '\0' + ' ');
  return head + bytes + std::string((512 - bytes.size() % 512) % 512, '\0');
}

// "LENGTH KEY=VALUE\n", the length with itself.
std::string pax(const std::string& key, const std::string& value) {
  const std::string rest = " " + key + "=" + value + "\n";
  std::size_t size = rest.size() + 1;
  while (std::to_string(size).size() + rest.size() != size) ++size;
  return std::to_string(size) + rest;
}

std::string end() { return std::string(1024, '\0'); }

struct Bulk {
  explicit Bulk(const OptionTexts& options = {}) {
    app.on("HEAD", "/v1/a/there", FakeAnswer{204});
    app.otherwise([](Request& request) {
      const bool container = request.path.rfind('/') == std::string_view("/v1/a").size();
      if (request.method == "HEAD" && container) return error_response(404);
      return Response(request.method == "DELETE" ? 204 : 201);
    });
    filter = load_filter("bulk", options, host, app);
  }

  std::string extract(const std::string& body, const std::string& path = "/v1/a",
                      const std::string& kind = "tar", Headers headers = {},
                      std::size_t piece = 0) {
    Request request = make_request("PUT", path + "?extract-archive=" + kind, std::move(headers));
    request.content_length = body.size();
    request.body = std::make_unique<PieceSource>(body, piece);
    Response out = (*filter)(request);
    CHECK(out.status == 200);
    type = out.headers.get("Content-Type");
    return body_of(out);
  }
  std::string remove(const std::string& body, Headers headers = {},
                     const std::string& method = "POST") {
    Response out = ask(make_request(method, "/v1/a?bulk-delete", std::move(headers), body));
    CHECK(out.status == 200);
    type = out.headers.get("Content-Type");
    return body_of(out);
  }
  Response ask(Request request) { return (*filter)(request); }

  TestHost host;
  FakeApp app;
  std::string type;
  std::unique_ptr<const App> filter;
};

}  // namespace

TEST_CASE(
    "bulk: an archive's files become objects, whatever the pieces they "
    "come in") {
  const std::string tar = member("./c1/d/x", "hello") + member("c1/empty", "") +
                          member("c1/d/", "", '5') + member("there/big", std::string(5000, 'x')) +
                          member("top", "ignored") + member("/c1/abs", "1") + end();
  for (const std::size_t piece : {0U, 100U}) {
    Bulk b;
    const std::string text = b.extract(tar, "/v1/a", "tar", {{"X-Auth-Token", "t"}}, piece);
    CHECK(text ==
          "Number Files Created: 4\nResponse Body: \nResponse Status: "
          "201 Created\nErrors:\n");
    CHECK(b.type == "text/plain");
    CHECK(b.app.lines() == std::vector<std::string>{"HEAD /v1/a/c1", "PUT /v1/a/c1",
                                                    "PUT /v1/a/c1/d/x", "PUT /v1/a/c1/empty",
                                                    "HEAD /v1/a/there", "PUT /v1/a/there/big",
                                                    "PUT /v1/a/c1/abs"});
    const auto calls = b.app.calls();
    CHECK(calls[2].body == "hello");
    CHECK(calls[2].headers.get("X-Auth-Token") == "t");
    CHECK(calls[2].headers.get("User-Agent") == "BulkExpand");
    CHECK(calls[2].context.source == "EA");
    CHECK(calls[5].body == std::string(5000, 'x'));
  }
}

TEST_CASE("bulk: below a container or prefix, with metadata for all and for one") {
  Bulk b;
  const std::string attributes = pax("SCHILY.xattr.user.mime_type", "image/x") +
                                 pax("SCHILY.xattr.user.meta.color", "blue") +
                                 pax("SCHILY.xattr.user.other", "no") + pax("path", "d/\xC3\xA9");
  const std::string text = b.extract(
      member("pax", attributes, 'x') + member("d/y", "1") + end(), "/v1/a/c/pre/", "tar",
      {{"X-Object-Meta-All", "1"}, {"X-Delete-After", "9"}, {"Accept", "application/json"}});
  CHECK(
      text ==
      R"({"Response Status": "201 Created", "Response Body": "", "Number Files Created": 1, "Errors": []})");
  CHECK(b.type == "application/json");
  const FakeCall put = b.app.last();
  CHECK(put.path == "/v1/a/c/pre/d/\xC3\xA9");
  CHECK(put.headers.get("Content-Type") == "image/x");
  CHECK(put.headers.get("X-Object-Meta-Color") == "blue");
  CHECK(put.headers.get("X-Object-Meta-All") == "1");
  CHECK(put.headers.get("X-Delete-After") == "9");
  CHECK_FALSE(put.headers.has("X-Object-Meta-Other"));
}

TEST_CASE("bulk: failures are told one by one, in all forms") {
  Bulk b;
  b.app.on("PUT", "/v1/a/c/bad<", FakeAnswer{422});
  const std::string tar = member("c/ok", "1") + member("c/bad<", "2") + end();
  CHECK(b.extract(tar) ==
        "Number Files Created: 1\nResponse Body: \nResponse "
        "Status: 400 Bad Request\nErrors:\n"
        "c/bad%3C, 422 Unprocessable Entity\n");
  CHECK(b.extract(tar, "/v1/a", "tar", {{"Accept", "text/xml"}}) ==
        "<extract>\n<number_files_created>1</"
        "number_files_created>\n<response_body></response_body>\n"
        "<response_status>400 Bad "
        "Request</response_status>\n<errors>\n<object><name>c/bad%3C</name>"
        "<status>422 Unprocessable "
        "Entity</status></object>\n</errors>\n</extract>\n");
  CHECK(b.type == "text/xml");
  b.app.on("PUT", "/v1/a/c/bad<", FakeAnswer{503});
  CHECK(b.extract(tar).find("Response Status: 502 Bad Gateway") != std::string::npos);
  b.app.on("PUT", "/v1/a/c/bad<", FakeAnswer{401});
  const std::string text = b.extract(member("c/bad<", "2") + tar);
  CHECK(text.find("Response Status: 401 Unauthorized") != std::string::npos);
  CHECK(text.find("Number Files Created: 0") != std::string::npos);
  CHECK(b.extract(tar, "/v1/a", "tar", {{"Accept", "image/png"}})
            .find("Response Status: 406 Not Acceptable") != std::string::npos);
}

TEST_CASE("bulk: containers that cannot be made, and limits") {
  Bulk b(OptionTexts{{"max_containers_per_extraction", "1"}, {"max_failed_extractions", "2"}});
  CHECK(b.extract(member("c1/x", "") + member("c2/x", "") + end())
            .find("More than 1 containers to create from tar.") != std::string::npos);
  b.app.on("HEAD", "/v1/a/no", FakeAnswer{401});
  CHECK(b.extract(member("no/x", "") + end()).find("Response Status: 401") != std::string::npos);
  b.app.on("PUT", "/v1/a/there/x", FakeAnswer{400});
  b.app.clear_calls();
  std::string many;
  for (int i = 0; i < 10; ++i) many += member("there/x", "");
  const std::string text = b.extract(many + end());
  CHECK(b.app.calls().size() == 3);  // the look-up, and two that failed
  CHECK(text.find("there/x, 400 Bad Request\nthere/x, 400 Bad Request\n") != std::string::npos);
  CHECK(b.extract(member("c/\xFF", "") + end()).find("412 Precondition Failed") !=
        std::string::npos);
}

TEST_CASE("bulk: what is no archive") {
  Bulk b;
  const auto invalid = [&](const std::string& body, const char* kind = "tar") {
    const std::string text = b.extract(body, "/v1/a", kind);
    CAPTURE(text);
    CHECK(text.find("Response Status: 400 Bad Request") != std::string::npos);
    CHECK(text.find("Response Body: Invalid Tar File") != std::string::npos);
  };
  invalid("");
  invalid("x");
  invalid(std::string(5000, 'x'));
  invalid(end());
  invalid(member("top", "1") + end());
  invalid(member("c/x", std::string(3000, 'y')).substr(0, 1500));
  invalid(member("c/x", "1") + end(), "tar.gz");
  invalid(member("c/x", "1") + end(), "tar.bz2");
  invalid("\x1f\x8b\x08garbage", "tar.gz");
  Response out = b.ask(make_request("PUT", "/v1/a?extract-archive=zip", {}, "x"));
  CHECK(out.status == 400);
  CHECK(body_of(out) == "Unsupported archive format");
  out = b.ask(make_request("PUT", "/v1/a?extract-archive=tar"));
  CHECK(body_of(out).find("411 Length Required") != std::string::npos);
  CHECK(b.ask(make_request("PUT", "/v1/a/c/o", {}, "x")).status == 201);
}

TEST_CASE("bulk: a client that goes away in the middle") {
  Bulk b;
  const std::string tar = member("c/x", std::string(3000, 'y'));
  Request request = make_request("PUT", "/v1/a?extract-archive=tar");
  request.content_length = tar.size();
  request.body =
      std::make_unique<PieceSource>(tar.substr(0, 2000), 0, BodyError::Kind::kDisconnect);
  Response out = (*b.filter)(request);
  CHECK_THROWS_AS(body_of(out), BodyError);
}

TEST_CASE("bulk: long work shows signs of life") {
  for (const char* accept : {"text/plain", "application/xml"}) {
    Bulk b(OptionTexts{{"yield_frequency", "10"}});
    b.app.on("PUT", "/v1/a/there/slow", [&](Request&) {
      b.host.time.advance(std::chrono::seconds(11));
      return Response(201);
    });
    std::string tar;
    for (int i = 0; i < 3; ++i) tar += member("there/slow", "");
    const std::string text = b.extract(tar + end(), "/v1/a", "tar", {{"Accept", accept}});
    const std::string start = std::string_view(accept) == "text/plain"
                                  ? "   \r\n\r\n"
                                  : "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n  \r\n\r\n";
    CHECK(text.starts_with(start));
  }
}

TEST_CASE("bulk: names are deleted, objects before containers") {
  for (const char* concurrency : {"1", "2", "7"}) {
    Bulk b(OptionTexts{{"delete_concurrency", concurrency}});
    b.app.on("DELETE", "/v1/a/c/gone", FakeAnswer{404});
    const std::string text =
        b.remove("c\n/c/x\n\n c/%C3%A9 \nc/gone\n", {{"X-Auth-Token", "t"}, {"Accept", "*/*"}});
    CHECK(text ==
          "Number Deleted: 3\nNumber Not Found: 1\nResponse Body: "
          "\nResponse Status: 200 OK\n"
          "Errors:\n");
    const auto calls = b.app.calls();
    REQUIRE(calls.size() == 4);
    CHECK(calls[3].path == "/v1/a/c");
    CHECK(calls[3].headers.get("User-Agent") == "BulkDelete");
    CHECK(calls[3].headers.get("X-Auth-Token") == "t");
    CHECK(calls[3].context.source == "BD");
  }
}

TEST_CASE("bulk: failing deletions") {
  Bulk b;
  b.app.on("DELETE", "/v1/a/full", FakeAnswer{409});
  b.app.on("DELETE", "/v1/a/c/x", FakeAnswer{401});
  CHECK(
      b.remove("full\nc/x", {{"Accept", "application/json"}}) ==
      R"({"Response Status": "400 Bad Request", "Response Body": "", "Number Deleted": 0, )"
      R"("Number Not Found": 0, "Errors": [["c/x", "401 Unauthorized"], ["full", "409 Conflict"]]})");
  b.app.on("DELETE", "/v1/a/c/x", FakeAnswer{503});
  CHECK(b.remove("c/x").find("502 Bad Gateway") != std::string::npos);
  CHECK(b.remove("a%FF/x").find("a%FF/x, 412 Precondition Failed") != std::string::npos);
  CHECK(b.remove("").find("Response Body: Invalid bulk delete.") != std::string::npos);
  CHECK(b.remove("\n \n").find("Response Body: Invalid bulk delete.") != std::string::npos);
  CHECK(b.remove("x", {{"Content-Type", "application/json"}}).find("406 Not Acceptable") !=
        std::string::npos);
  CHECK(b.remove(std::string(10000, 'n')).find("Invalid File Name") != std::string::npos);
  Response out = b.ask(make_request("POST", "/v1/a?bulk-delete"));
  CHECK(body_of(out).find("411 Length Required") != std::string::npos);
}

TEST_CASE("bulk: limits and retries of deletions") {
  Bulk b(OptionTexts{{"max_deletes_per_request", "2"},
                     {"max_failed_deletes", "1"},
                     {"delete_container_retry_count", "2"}});
  std::string text = b.remove("a/1\na/2\na/3\n");
  CHECK(text.find("413 Request Entity Too Large") != std::string::npos);
  CHECK(text.find("Response Body: Maximum Bulk Deletes: 2 per request") != std::string::npos);
  CHECK(b.app.calls().empty());
  b.app.on("DELETE", "/v1/a/c/x", FakeAnswer{403});
  text = b.remove("c/x\nfull");
  CHECK(text.find("Response Body: Max delete failures exceeded") != std::string::npos);
  int left = 2;
  b.app.on("DELETE", "/v1/a/full", [&](Request&) { return Response(left-- > 0 ? 409 : 204); });
  CHECK(b.remove("full").find("Number Deleted: 1") != std::string::npos);
  CHECK(b.host.time.slept() == std::chrono::milliseconds(1500 + 2250));
}

TEST_CASE("bulk: /info") {
  Bulk b;
  const std::string document = b.host.info().document(false, {});
  CHECK(document.find(
            R"("bulk_delete": {"max_deletes_per_request": 10000, "max_failed_deletes": 1000})") !=
        std::string::npos);
  CHECK(document.find("\"max_containers_per_extraction\": 10000") != std::string::npos);
}
