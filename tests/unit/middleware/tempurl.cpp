#include <apus/cache.h>
#include <apus/digest.h>
#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

using namespace apus;
using namespace apus::testing;

namespace {

constexpr const char* kPath = "/v1/a/c/o";
constexpr std::int64_t kLater = 1'700'000'060;

std::string sign(const std::string& text, const std::string& key = "akey",
                 DigestKind kind = DigestKind::kSha256) {
  return to_hex(hmac(kind, key, text));
}

// An account with two keys, a container with one, and an app that asks the authorize hook.
struct Tempurl {
  explicit Tempurl(const OptionTexts& options = {}) {
    app.on("HEAD", "/v1/a",
           FakeAnswer{204,
                      {{"X-Account-Meta-Temp-Url-Key", "akey"},
                       {"X-Account-Meta-Temp-Url-Key-2", "akey2"}}});
    app.on("HEAD", "/v1/a/c", FakeAnswer{204, {{"X-Container-Meta-Temp-Url-Key", "ckey"}}});
    app.on("HEAD", "/v1/a/d", FakeAnswer{204});
    app.otherwise([this](Request& request) -> Response {
      context = request.context;
      seen = request.headers;
      query = request.query.encode();
      if (request.context.authorize) {
        Request moved(request.method, moved_to.empty() ? request.path : moved_to);
        if (auto refusal = request.context.authorize(moved)) return std::move(*refusal);
      }
      Response out(200, request.method == "HEAD" ? "" : "body");
      for (const auto& [name, value] : answer) out.headers.set(name, value);
      return out;
    });
    filter = load_filter("tempurl", options, host, app);
  }

  Response ask(std::string method, const std::string& target, Headers headers = {},
               std::string from = "10.1.2.3") {
    Request request = make_request(std::move(method), target, std::move(headers));
    request.context.remote_address = std::move(from);
    return (*filter)(request);
  }
  int status(std::string method, const std::string& target, Headers headers = {}) {
    return ask(std::move(method), target, std::move(headers)).status;
  }
  // The link that `method` was signed for.
  static std::string link(const std::string& method, const std::string& key = "akey",
                          const std::string& path = kPath, DigestKind kind = DigestKind::kSha256) {
    return path + "?temp_url_sig=" +
           sign(method + "\n" + std::to_string(kLater) + "\n" + path, key, kind) +
           "&temp_url_expires=" + std::to_string(kLater);
  }

  TestHost host;
  FakeApp app;
  Context context;
  Headers seen;
  Headers answer;
  std::string query;
  std::string moved_to;
  std::unique_ptr<const App> filter;
};

}  // namespace

TEST_CASE("tempurl: a good link passes with all four keys and all digests") {
  Tempurl t;
  for (const char* key : {"akey", "akey2", "ckey"}) {
    for (const DigestKind kind : {DigestKind::kSha1, DigestKind::kSha256, DigestKind::kSha512}) {
      Response out = t.ask("GET", Tempurl::link("GET", key, kPath, kind));
      CHECK(out.status == 200);
      CHECK(out.headers.get("Content-Disposition") ==
            "attachment; filename=\"o\"; filename*=UTF-8''o");
      CHECK(out.headers.get("Expires") == "Tue, 14 Nov 2023 22:14:20 GMT");
    }
  }
  CHECK(t.context.remote_user == ".wsgi.tempurl");
  CHECK(t.context.authorize_override);
  CHECK_FALSE(t.context.swift_owner);
  CHECK(t.host.numbers.counter("tempurl.digests.sha512") == 3);
}

TEST_CASE("tempurl: requests without a link are not looked at") {
  Tempurl t;
  CHECK(t.status("GET", "/v1/a/c/o") == 200);
  CHECK(t.status("GET", "/v1/a/c/o?temp_url_prefix=x") == 200);
  CHECK(t.status("OPTIONS", "/v1/a/c/o?temp_url_sig=x&temp_url_expires=1") == 200);
  CHECK_FALSE(t.context.authorize_override);
}

TEST_CASE("tempurl: a bad link is refused in Swift's words") {
  Tempurl t;
  const std::string good = sign("GET\n" + std::to_string(kLater) + "\n" + kPath);
  const std::string later = "&temp_url_expires=" + std::to_string(kLater);
  Response out = t.ask("GET", std::string(kPath) + "?temp_url_sig=" + std::string(64, '0') + later);
  CHECK(out.status == 401);
  CHECK(body_of(out) == "401 Unauthorized: Temp URL invalid\n");
  CHECK(out.headers.get("Www-Authenticate") == "Swift realm=\"unknown\"");
  CHECK(out.headers.get("Content-Type") == "text/html; charset=UTF-8");
  const auto bad = [&](const std::string& query, const std::string& path = kPath) {
    CAPTURE(query);
    CHECK(t.status("GET", path + "?" + query) == 401);
  };
  bad("temp_url_sig=" + good);
  bad(later.substr(1));
  bad("temp_url_sig=" + later);
  bad("temp_url_sig=" + good + "&temp_url_expires=");
  bad("temp_url_sig=" + good + "&temp_url_expires=x");
  bad("temp_url_sig=" + good + "&temp_url_expires=1699999999");
  bad("temp_url_sig=" + good + "&temp_url_expires=99999999999999999999999999");
  bad("temp_url_sig=" + good + "&temp_url_expires=2023-13-40T00:00:00Z");
  bad("temp_url_sig=zz" + good.substr(2) + later);
  bad("temp_url_sig=" + good.substr(1) + later);
  bad("temp_url_sig=sha256:!!!" + later);
  bad("temp_url_sig=md5:" + base64_encode("x") + later);
  bad("temp_url_sig=:" + later);
  bad("temp_url_sig=" + std::string(100000, 'a') + later);
  bad("temp_url_sig=" + good + later, "/v1/a/c/other");
  bad("temp_url_sig=" + good + later, "/v1/a/c");
  bad("temp_url_sig=" + good + later, "/v1/a");
  bad("temp_url_sig=" + good + later, "/v2/a/c/o");
  CHECK(t.status("PUT", std::string(kPath) + "?temp_url_sig=" + good + later) == 401);
  CHECK(t.status("POST", std::string(kPath) + "?temp_url_sig=" + good + later) == 401);
  CHECK(t.status("DELETE", std::string(kPath) + "?temp_url_sig=" + good + later) == 401);
  Response head = t.ask("HEAD", std::string(kPath) + "?temp_url_sig=0" + later);
  CHECK(head.status == 401);
  CHECK(body_of(head).empty());
}

TEST_CASE("tempurl: an account without keys opens nothing") {
  Tempurl t;
  t.app.on("HEAD", "/v1/a", FakeAnswer{204, {{"X-Account-Meta-Temp-Url-Key", ""}}});
  CHECK(t.status("GET", Tempurl::link("GET", "", "/v1/a/d/o")) == 401);
}

TEST_CASE("tempurl: HEAD goes with links for GET, PUT and POST, not for DELETE") {
  Tempurl t;
  for (const char* method : {"HEAD", "GET", "PUT", "POST"})
    CHECK(t.status("HEAD", Tempurl::link(method)) == 200);
  CHECK(t.status("HEAD", Tempurl::link("DELETE")) == 401);
  CHECK(t.status("GET", Tempurl::link("HEAD")) == 401);
}

TEST_CASE("tempurl: base64 signatures with either alphabet, padded or not") {
  Tempurl t;
  const std::string later = "&temp_url_expires=" + std::to_string(kLater);
  std::string raw = base64_encode(
      hmac(DigestKind::kSha512, "akey", "GET\n" + std::to_string(kLater) + "\n" + kPath));
  std::string safe = raw;
  for (char& c : safe) c = c == '+' ? '-' : c == '/' ? '_' : c;
  const auto status = [&](const std::string& text) {
    return t.status("GET", std::string(kPath) + "?temp_url_sig=sha512:" + quote(text, "") + later);
  };
  CHECK(status(raw) == 200);
  CHECK(status(safe) == 200);
  CHECK(status(safe.substr(0, safe.find('='))) == 200);
  CHECK(status(raw.substr(4)) == 401);
}

TEST_CASE("tempurl: expiry as ISO 8601") {
  Tempurl t;
  const std::string signature = sign("GET\n" + std::to_string(kLater) + "\n" + kPath);
  const std::string start = std::string(kPath) + "?temp_url_sig=" + signature;
  CHECK(t.status("GET", start + "&temp_url_expires=2023-11-14T22:14:20Z") == 200);
  CHECK(t.status("GET", start + "&temp_url_expires=2023-11-14T22:14:20") == 401);
  CHECK(t.status("GET", start + "&temp_url_expires=2023-11-14") == 401);
  CHECK(t.status("GET", start + "&temp_url_expires=2023-02-30T00:00:00Z") == 401);
  t.host.time.advance(std::chrono::seconds(61));
  CHECK(t.status("GET", start + "&temp_url_expires=2023-11-14T22:14:20Z") == 401);
}

TEST_CASE("tempurl: allowed_digests") {
  Tempurl t(OptionTexts{{"allowed_digests", "sha512 md5"}});
  CHECK(t.status("GET", Tempurl::link("GET", "akey", kPath, DigestKind::kSha512)) == 200);
  CHECK(t.status("GET", Tempurl::link("GET", "akey", kPath, DigestKind::kSha256)) == 401);
  CHECK(t.host.log.has("md5"));
  TestHost host;
  FakeApp app;
  CHECK_THROWS_WITH_AS(load_filter("tempurl", {{"allowed_digests", "md5"}}, host, app),
                       doctest::Contains("sha512"), std::runtime_error);
}

TEST_CASE("tempurl: prefixes") {
  Tempurl t;
  const auto target = [](const std::string& object, const std::string& prefix) {
    return "/v1/a/c/" + object + "?temp_url_sig=" +
           sign("GET\n" + std::to_string(kLater) + "\nprefix:/v1/a/c/" + prefix) +
           "&temp_url_expires=" + std::to_string(kLater) + "&temp_url_prefix=" + prefix;
  };
  CHECK(t.status("GET", target("dir/x", "dir/")) == 200);
  CHECK(t.query.find("temp_url_prefix=dir%2F") != std::string::npos);
  CHECK(t.status("GET", target("anything", "")) == 200);
  CHECK(t.status("GET", target("di", "dir/")) == 401);
  CHECK(t.status("GET", target("other/x", "dir/")) == 401);
  // The container's root passes for staticweb's sake only.
  CHECK(t.status("GET", target("", "")) == 401);
  CHECK(t.status("GET", target("", "dir/")) == 401);
}

TEST_CASE("tempurl: ip ranges") {
  Tempurl t;
  const auto status = [&](const std::string& range, const std::string& from) {
    const std::string text = "ip=" + range + "\nGET\n" + std::to_string(kLater) + "\n" + kPath;
    return t
        .ask("GET",
             std::string(kPath) + "?temp_url_sig=" + sign(text) + "&temp_url_expires=" +
                 std::to_string(kLater) + "&temp_url_ip_range=" + quote(range),
             {}, from)
        .status;
  };
  CHECK(status("10.1.2.3", "10.1.2.3") == 200);
  CHECK(status("10.1.2.0/24", "10.1.2.3") == 200);
  CHECK(status("10.1.2.0/255.255.255.0", "10.1.2.9") == 200);
  CHECK(status("0.0.0.0/0", "10.1.2.3") == 200);
  CHECK(status("2001:db8::/32", "2001:db8::1") == 200);
  CHECK(status("2001:db8::/32", "2001:db9::1") == 401);
  CHECK(status("10.1.2.0/24", "10.1.3.3") == 401);
  CHECK(status("10.1.2.3/24", "10.1.2.3") == 401);
  CHECK(status("10.1.2.0/33", "10.1.2.0") == 401);
  CHECK(status("10.1.2.0/255.0.255.0", "10.1.2.0") == 401);
  CHECK(status("10.1.2", "10.1.2.0") == 401);
  CHECK(status("10.1.2.0/24", "") == 401);
  CHECK(status("::/0", "10.1.2.3") == 401);
  CHECK(status(std::string("10.1.2.3\0x", 10), "10.1.2.3") == 401);
}

TEST_CASE("tempurl: names of downloads") {
  Tempurl t;
  const auto shown = [&](const std::string& more, const std::string& path = kPath) {
    Response out = t.ask("GET", Tempurl::link("GET", "akey", path) + more);
    CHECK(out.status == 200);
    return std::string(out.headers.get("Content-Disposition"));
  };
  CHECK(shown("&filename=a%20b%22c%0d%0a") ==
        "attachment; filename=\"a b%22c%0D%0A\"; filename*=UTF-8''a%20b%22c%0D%0A");
  CHECK(shown("&inline") == "inline");
  CHECK(shown("&inline&filename=x") == "inline; filename=\"x\"; filename*=UTF-8''x");
  CHECK(shown("", "/v1/a/c/dir/name/") == "attachment; filename=\"name\"; filename*=UTF-8''name");
  t.answer.set("Content-Disposition", "attachment; filename=\"own\"");
  CHECK(shown("") == "attachment; filename=\"own\"");
  CHECK(shown("&filename=x") == "attachment; filename=\"x\"; filename*=UTF-8''x");
}

TEST_CASE("tempurl: fields taken away on both ways") {
  Tempurl t(OptionTexts{{"incoming_remove_headers", "x-timestamp x-secret-*"},
                        {"incoming_allow_headers", "x-secret-not"}});
  t.answer = {{"X-Object-Meta-Owner", "me"}, {"X-Object-Meta-Public-Name", "n"}, {"Etag", "e"}};
  Response out = t.ask("GET", Tempurl::link("GET"),
                       {{"X-Timestamp", "1"}, {"X-Secret-A", "1"}, {"X-Secret-Not", "1"}});
  CHECK_FALSE(t.seen.has("X-Timestamp"));
  CHECK_FALSE(t.seen.has("X-Secret-A"));
  CHECK(t.seen.has("X-Secret-Not"));
  CHECK_FALSE(out.headers.has("X-Object-Meta-Owner"));
  CHECK(out.headers.has("X-Object-Meta-Public-Name"));
  CHECK(out.headers.has("Etag"));
}

TEST_CASE("tempurl: methods") {
  Tempurl t(OptionTexts{{"methods", "GET HEAD"}});
  CHECK(t.status("GET", Tempurl::link("GET")) == 200);
  CHECK(t.status("PUT", Tempurl::link("PUT")) == 401);
}

TEST_CASE("tempurl: path_prefix") {
  Tempurl t(OptionTexts{{"path_prefix", "/site/a/"}});
  const std::string later = std::to_string(kLater);
  const auto target = [&](const std::string& path) {
    return std::string(kPath) + "?temp_url_sig=" + sign("GET\n" + later + "\n" + path) +
           "&temp_url_expires=" + later;
  };
  CHECK(t.status("GET", target(std::string("/site/a") + kPath)) == 200);
  CHECK(t.status("GET", target(kPath)) == 401);
}

// A link to write one object must not make it stand for others.
TEST_CASE("tempurl: CVE-2015-5223, CVE-2026-97149 no manifest, link or copy is made by a link") {
  Tempurl t;
  for (const char* name : {"X-Object-Manifest", "X-Symlink-Target", "X-Copy-From"}) {
    for (const char* method : {"PUT", "POST", "DELETE"}) {
      Response out = t.ask(method, Tempurl::link(method), {{name, "other/secret"}});
      CHECK(out.status == 400);
      CHECK(body_of(out) ==
            "The header '" + std::string(name) + "' is not allowed in this tempurl");
    }
    CHECK(t.status("GET", Tempurl::link("GET"), {{name, "x"}}) == 200);
  }
  CHECK(t.status("PUT", Tempurl::link("PUT") + "&multipart-manifest=put&symlink=get") == 200);
  CHECK(t.query.find("multipart-manifest") == std::string::npos);
  CHECK(t.query.find("symlink") == std::string::npos);
}

// Whatever filters behind make of the request: a key opens its own account or container alone.
TEST_CASE("tempurl: CVE-2015-5223 a key's scope holds behind the filter") {
  Tempurl t;
  t.moved_to = "/v1/a/other/o";
  CHECK(t.status("GET", Tempurl::link("GET", "akey")) == 200);
  CHECK(t.status("GET", Tempurl::link("GET", "ckey")) == 401);
  t.moved_to = "/v1/b/c/o";
  CHECK(t.status("GET", Tempurl::link("GET", "akey")) == 401);
  CHECK(t.status("GET", Tempurl::link("GET", "ckey")) == 401);
}

TEST_CASE("tempurl: CVE-2017-8761 signatures and keys stay out of the log") {
  Tempurl t;
  t.status("GET", Tempurl::link("GET"));
  t.status("GET", Tempurl::link("GET", "wrong"));
  for (const KeptLog::Line& line : t.host.log.lines()) {
    CHECK(line.text.find("akey") == std::string::npos);
    CHECK(line.text.find(sign("GET\n" + std::to_string(kLater) + "\n" + kPath)) ==
          std::string::npos);
  }
}

TEST_CASE("tempurl: /info") {
  Tempurl t(OptionTexts{{"methods", "GET HEAD"}});
  const std::string document = t.host.info().document(false, {});
  CHECK(document.find(R"("methods": ["GET", "HEAD"])") != std::string::npos);
  CHECK(document.find(R"("incoming_remove_headers": ["x-timestamp"])") != std::string::npos);
  CHECK(document.find(R"("incoming_allow_headers": [])") != std::string::npos);
  CHECK(document.find(R"("outgoing_allow_headers": ["x-object-meta-public-*"])") !=
        std::string::npos);
  CHECK(document.find(R"("allowed_digests": ["sha1", "sha256", "sha512"])") != std::string::npos);
  CHECK(document.find(R"("deprecated_digests": ["sha1"])") != std::string::npos);
}
