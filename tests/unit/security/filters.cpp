// Attacks on filters, by the numbers under which the world knows them.
#include <apus/accept.h>
#include <apus/digest.h>
#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

#include <array>
#include <ctime>

using namespace apus;
using namespace apus::testing;

namespace {

// CPU seconds of this thread that `work` takes: the best of a few tries.
template <typename Work>
double cost(const Work& work) {
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    timespec from{};
    timespec to{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    work();
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    best = std::min(best, static_cast<double>(to.tv_sec - from.tv_sec) +
                              static_cast<double>(to.tv_nsec - from.tv_nsec) / 1e9);
  }
  return best;
}

std::string ask_text(const App& filter, const std::string& method, const std::string& path,
                     Headers headers = {}) {
  Request request = make_request(method, "/", std::move(headers));
  request.path = path;
  request.raw_path = quote(path);
  Response out = filter(request);
  return std::to_string(out.status) + " " + body_of(out);
}

}  // namespace

// An account's name went into XML listings as it was.
TEST_CASE("CVE-2013-2161: a name cannot become elements or attributes of a listing") {
  TestHost host;
  FakeApp app;
  const auto filter = load_filter("listing_formats", {}, host, app);
  const FakeAnswer rows = {200,
                           {{"Content-Type", "application/json"}},
                           R"([{"name": "c\"><x/>", "count": 0, "bytes": 0, )"
                           R"("last_modified": "2026-01-01T00:00:00.000000"}])"};
  app.otherwise(rows);
  for (const char* account : {"/v1/A\"><x><y z=\"", "/v1/A&lt;'<![CDATA["}) {
    Request request = make_request("GET", "/v1/a?format=xml");
    request.path = account;
    request.raw_path = quote(account);
    Response out = (*filter)(request);
    const std::string text = body_of(out);
    CAPTURE(text);
    CHECK(out.status == 200);
    // The only angle brackets are those of the listing's own elements.
    CHECK(out.headers.get("Content-Type").starts_with("application/xml"));
    for (const char* element : {"<x", "<y", "<!["}) CHECK(text.find(element) == std::string::npos);
    CHECK(text.find("<account name=\"A&") != std::string::npos);
  }
}

// Signatures were compared byte by byte until the first that differed.
TEST_CASE("CVE-2014-0006: how much of a guessed signature is right cannot be measured") {
  const std::string secret(8U << 20U, 's');
  std::string first = secret;
  std::string last = secret;
  first.front() = 'x';
  last.back() = 'x';
  bool equal = false;
  const double early = cost([&] { equal = equal || constant_time_equal(secret, first); });
  const double late = cost([&] { equal = equal || constant_time_equal(secret, last); });
  CHECK_FALSE(equal);
  // A comparison that stops at the first difference is a million times faster here.
  CHECK(early > late / 4);
  CHECK(late > early / 4);
}

TEST_CASE("CVE-2014-0006: a link with a right beginning is told the same as one with none") {
  TestHost host;
  FakeApp app;
  app.on("HEAD", "/v1/a", {204, {{"X-Account-Meta-Temp-Url-Key", "akey"}}});
  app.on("HEAD", "/v1/a/c", {204});
  app.otherwise({200});
  const auto filter = load_filter("tempurl", {}, host, app);
  const std::string expires = "1700000100";
  const std::string right =
      to_hex(hmac(DigestKind::kSha256, "akey", "GET\n" + expires + "\n/v1/a/c/o"));
  const auto answer = [&](const std::string& signature) {
    Request request =
        make_request("GET", "/v1/a/c/o?temp_url_sig=" + signature + "&temp_url_expires=" + expires);
    request.context.cache = &host.cache();
    Response out = (*filter)(request);
    std::string told = std::to_string(out.status) + "\n";
    for (const auto& [name, value] : out.headers) told += name + ": " + value + "\n";
    return told + body_of(out);
  };
  CHECK(answer(right).starts_with("200"));
  const std::string none = answer(std::string(64, right[0] == '0' ? '1' : '0'));
  CHECK(none.starts_with("401"));
  for (std::size_t known = 1; known < right.size(); ++known) {
    std::string guess = right;
    for (std::size_t i = known; i < guess.size(); ++i) guess[i] = right[i] == '0' ? '1' : '0';
    CHECK(answer(guess) == none);
  }
}

// A path went into WWW-Authenticate as it was, for a browser to run.
TEST_CASE("CVE-2014-3497: a path cannot end the realm of a 401") {
  TestHost host;
  FakeApp app;
  app.otherwise(FakeApp::Function([](Request& request) {
    if (request.context.authorize) {
      if (auto refusal = request.context.authorize(request)) return std::move(*refusal);
    }
    return Response(204);
  }));
  const auto filter = load_filter("tempauth", {{"user_test_tester", "key-one .admin"}}, host, app);
  for (const char* account : {"AUTH_\"><script>alert(1)</script>", "AUTH_a\", Basic realm=\"b",
                              "AUTH_a\\\"", "AUTH_a\r\nX-Injected: 1"}) {
    CAPTURE(account);
    Request request = make_request("GET", "/");
    request.path = std::string("/v1/") + account;
    request.raw_path = quote(request.path);
    request.context.cache = &host.cache();
    Response out = (*filter)(request);
    CHECK(out.status == 401);
    const std::string_view field = out.headers.get("Www-Authenticate");
    REQUIRE(field.starts_with("Swift realm=\""));
    const std::string_view realm = field.substr(13);
    // The first quote after the opening one is the last character of all.
    CHECK(realm.find('"') == realm.size() - 1);
    CHECK(realm.find_first_of("<>\\\r\n") == std::string_view::npos);
    CHECK_FALSE(out.headers.has("X-Injected"));
  }
}

// Whoever could list the versions could delete the newest of any object.
TEST_CASE("CVE-2015-1856: no version is touched by who may not write the object") {
  for (const char* mode : {"stack", "history"}) {
    CAPTURE(mode);
    TestHost host;
    FakeApp app;
    const auto filter =
        load_filter("versioned_writes", {{"allow_versioned_writes", "yes"}}, host, app);
    app.on("HEAD", "/v1/AUTH_a", {204});
    app.on("HEAD", "/v1/AUTH_a/old", {204, {{"X-Container-Read", ".r:*,.rlistings"}}});
    app.on("HEAD", "/v1/AUTH_a/c",
           {204,
            {{"X-Container-Write", "a:owner"}},
            "",
            {{"X-Container-Sysmeta-Versions-Location", "old"},
             {"X-Container-Sysmeta-Versions-Mode", mode}}});
    app.on("GET", "/v1/AUTH_a/old", {200, {}, R"([{"name": "001o/1", "content_type": "a/b"}])"});
    app.object("/v1/AUTH_a/c/o", "current", {{"X-Timestamp", "1600000000.00000"}});
    app.object("/v1/AUTH_a/old/001o/1", "older");
    app.otherwise({201});
    std::vector<std::string> acls;
    Request request = make_request("DELETE", "/v1/AUTH_a/c/o");
    request.context.authorize = [&](Request& asked) -> std::optional<Response> {
      acls.push_back(asked.context.acl);
      return error_response(403);
    };
    CHECK((*filter)(request).status == 403);
    REQUIRE_FALSE(acls.empty());
    CHECK(acls.front() == "a:owner");
    for (const std::string& line : app.lines()) {
      CAPTURE(line);
      CHECK((line.starts_with("HEAD") ||
             line == "GET /v1/AUTH_a/old?format=json&marker=&prefix="
                     "001o/&reverse=on" ||
             line.starts_with("GET /v1/AUTH_a/old?")));
    }
  }
}

// A client that left in the middle of a large object left its back ends' connections open.
TEST_CASE("CVE-2016-0737: large objects that nobody reads to the end close what they opened") {
  const std::string segment(100000, 's');
  const std::string hash = md5_hex(segment);
  for (const char* kind : {"slo", "dlo"}) {
    CAPTURE(kind);
    TestHost host;
    FakeApp app;
    const auto filter = load_filter(kind, {}, host, app);
    std::string rows;
    for (int i = 0; i < 3; ++i) {
      const std::string name = "s" + std::to_string(i);
      app.object("/v1/a/seg/" + name, segment);
      rows += (rows.empty() ? "[" : ", ") + std::string(R"({"name": ")") +
              (kind[0] == 's' ? "/seg/" : "") + name + R"(", "bytes": 100000, "hash": ")" + hash +
              R"(", "content_type": "t", "last_modified": "2026-01-01T00:00:00.000000"})";
    }
    rows += "]";
    Headers manifest = {{"Etag", md5_hex(rows)}, {"Content-Type", "video/mp4"}};
    manifest.set(kind[0] == 's' ? "X-Static-Large-Object" : "X-Object-Manifest",
                 kind[0] == 's' ? "True" : "seg/s");
    app.on("GET", "/v1/a/c/big", {200, manifest, kind[0] == 's' ? rows : ""});
    app.on("GET", "/v1/a/seg", {200, {{"Content-Type", "application/json"}}, rows});
    for (const std::size_t read : {std::size_t{0}, std::size_t{1}, std::size_t{150000}}) {
      CAPTURE(read);
      Request request = make_request("GET", "/v1/a/c/big");
      Response out = (*filter)(request);
      REQUIRE(out.status == 200);
      std::string buffer(4096, '\0');
      for (std::size_t done = 0; done < read;) {
        const std::size_t some =
            out.body->read({buffer.data(), std::min(buffer.size(), read - done)});
        REQUIRE(some > 0);
        done += some;
      }
      if (read > 0) CHECK(app.open_bodies().size() == 1);
      out.body.reset();
      CHECK(app.open_bodies().empty());
    }
  }
}

// The field was taken apart by an expression that tried every way to do it.
TEST_CASE("CVE-2026-71190: an Accept field is read in time linear in its length") {
  constexpr std::array<std::string_view, 2> kTypes = {"text/plain", "application/json"};
  const auto repeated = [](std::string_view start, std::string_view piece, std::size_t size,
                           std::string_view end) {
    std::string out(start);
    while (out.size() < size) out += piece;
    return out.append(end);
  };
  const std::array<std::array<std::string_view, 3>, 7> shapes = {{
      {"text/plain;a=\"", "\\a", "x"},
      {"text/plain;a=\"", "\\\\", ""},
      {"text/plain", ";a=\"b\"", ";"},
      {"text/plain", " ;\ta = b", "="},
      {"", "a/b;c=\"d,", "\""},
      {"", "*/*;q=0.1,", "x"},
      {"text/plain;", " ", "x"},
  }};
  for (const auto& shape : shapes) {
    CAPTURE(shape[1]);
    const std::string text = repeated(shape[0], shape[1], 1U << 20U, shape[2]);
    const double seconds = cost([&] { choose_type(text, kTypes); });
    // 8 KiB, all that a head may have, cost Swift seconds; this is 128 times as much.
    CHECK(seconds < 1.0);
  }
  TestHost host;
  FakeApp app;
  app.otherwise({200, {{"Content-Type", "application/json"}}, "[]"});
  const auto filter = load_filter("listing_formats", {}, host, app);
  CHECK(ask_text(*filter, "GET", "/v1/a/c",
                 {{"Accept", repeated("text/plain;a=\"", "\\a", 8000, "")}})
            .starts_with("400"));
}
