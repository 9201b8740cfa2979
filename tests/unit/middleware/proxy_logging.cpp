#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

#include <array>
#include <stdexcept>

using namespace apus;
using namespace apus::testing;

namespace {

struct Logging {
  explicit Logging(const OptionTexts& options = {})
      : filter(load_filter("proxy_logging", options, host, app)) {
    app.otherwise({200, {{"Content-Type", "text/plain"}}, "hello"});
  }
  static Request request(std::string method, std::string_view target, Headers headers = {}) {
    Request out = make_request(std::move(method), target, std::move(headers));
    out.context.remote_address = "10.0.0.1";
    out.context.trans_id = "tx1";
    out.context.local_address = "127.0.0.1:8080";
    return out;
  }
  // The one line that this request made.
  std::string line(Request request, std::optional<std::size_t> read = std::nullopt) {
    host.log.clear();
    {
      Response response = (*filter)(request);
      if (!read) {
        body_of(response);
      } else if (*read > 0) {
        std::string some(*read, '\0');
        response.body->read(some);
      }
    }
    const auto lines = host.log.lines();
    REQUIRE(lines.size() == 1);
    return lines.front().text;
  }

  TestHost host;
  FakeApp app;
  std::unique_ptr<const App> filter;
};

}  // namespace

TEST_CASE("proxy_logging: the line that Swift's tools read") {
  Logging logging;
  Request request = Logging::request("GET", "/v1/a/c/o%20%C3%A9?x=y&z",
                                     {{"Referer", "http://r/ x"},
                                      {"User-Agent", "curl/7 (\"x\")"},
                                      {"X-Auth-Token", "AUTH_tk0123456789abcdef"},
                                      {"Etag", "abc"}});
  request.context.log_info = {"a", "b:c"};
  request.context.policy_index = 0;
  CHECK(logging.line(std::move(request)) ==
        "10.0.0.1 10.0.0.1 14/Nov/2023/22/13/20 GET /v1/a/c/o%2520%25C3%25A9%3Fx%3Dy%26z HTTP/1.1 "
        "200 http://r/%20x curl/7%20%28%22x%22%29 AUTH_tk012345678... - 5 abc tx1 - 0.0000 - "
        "a%2Cb:c 1700000000.000000000 1700000000.000000000 0");
  CHECK(logging.host.log.lines().front().level == LogLevel::kInfo);
}

TEST_CASE("proxy_logging: who asked, as balancers tell") {
  Logging logging(OptionTexts{{"log_msg_template", "{client_ip} {remote_addr}"}});
  const auto ask = [&](Headers headers) {
    return logging.line(Logging::request("GET", "/v1/a", std::move(headers)));
  };
  CHECK(ask({}) == "10.0.0.1 10.0.0.1");
  CHECK(ask({{"X-Forwarded-For", " 1.2.3.4 , 5.6.7.8"}}) == "1.2.3.4 10.0.0.1");
  CHECK(ask({{"X-Forwarded-For", "1.2.3.4"}, {"X-Cluster-Client-Ip", "9.9.9.9"}}) ==
        "9.9.9.9 10.0.0.1");
  CHECK(ask({{"X-Forwarded-For", ","}}) == "10.0.0.1 10.0.0.1");
}

TEST_CASE("proxy_logging: every field of a template") {
  Logging logging(
      OptionTexts{{"log_msg_template",
                   "{{{domain}}} {account}/{container}/{object} {ttfb} {wire_status_int} "
                   "{start_time.iso8601} {start_time.s}.{start_time.ms} {end_time.us} "
                   "{end_time.ns} {start_time.asctime} {start_time.Y}-{start_time.j}"}});
  logging.host.time.set(1700000000.5);
  CHECK(logging.line(Logging::request("HEAD", "/v1/a%20b/c/d/e", {{"Host", "h.example:81"}})) ==
        "{h.example} a%20b/c/d/e - 200 2023-11-14T22:13:20 1700000000.500 500000 500000000 "
        "Tue%20Nov%2014%2022:13:20%202023 2023-318");
}

TEST_CASE("proxy_logging: a name that may not be known is shown by its digest") {
  Logging plain(OptionTexts{{"log_msg_template", "{path.anonymized} {referer.anonymized}"}});
  CHECK(plain.line(Logging::request("GET", "/v1/a")) == "{MD5}94fb04b86c62e22fe985611988320b6f -");
  Logging salted(OptionTexts{{"log_msg_template", "{account.anonymized}"},
                             {"log_anonymization_method", "SHA256"},
                             {"log_anonymization_salt", "pepper"}});
  CHECK(salted.line(Logging::request("GET", "/v1/a")) ==
        "{SSHA256}fb8da7c36f20f5b8ba6d0bc9a48de23ded12995435364e39efb226ed8e81cce6");
}

TEST_CASE("proxy_logging: a template that cannot be filled in refuses to start") {
  for (const char* bad : {"{nobody}", "{path", "path}", "{path.size}", "{method.anonymized}",
                          "{start_time.q}", "{path:>9}", "{path!r}", "{path.}", "{}"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(Logging(OptionTexts{{"log_msg_template", bad}}), std::runtime_error);
  }
  CHECK_THROWS_AS(Logging(OptionTexts{{"log_anonymization_method", "rot13"}}), std::runtime_error);
}

TEST_CASE("proxy_logging: tokens and signatures are cut wherever they stand") {
  Logging logging(OptionTexts{{"access_log_headers", "yes"},
                              {"reveal_sensitive_prefix", "3"},
                              {"log_msg_template", "{path} {auth_token} {headers}"}});
  const std::string line = logging.line(
      Logging::request("GET", "/v1/a/c/o?temp_url_sig=0123456789&temp_url_expires=5",
                       {{"X-Auth-Token", "secret-token"}, {"Authorization", "Basic secret"}}));
  CHECK(line ==
        "/v1/a/c/o%3Ftemp_url_sig%3D012...%26temp_url_expires%3D5 sec... "
        "X-Auth-Token:%20sec...%0AAuthorization:%20Bas...");
  Logging only(OptionTexts{{"log_headers", "on"},
                           {"access_log_headers_only", "accept, X-Foo"},
                           {"log_msg_template", "{headers}"}});
  CHECK(only.line(Logging::request("GET", "/v1/a", {{"Accept", "x/y"}, {"X-Bar", "1"}})) ==
        "Accept:%20x/y");
}

TEST_CASE("proxy_logging: a request is told once, its sub-requests each") {
  TestHost host;
  FakeApp app;
  app.otherwise({200, {}, "x"});
  const auto right = load_filter("proxy_logging", {{"log_msg_template", "{source}"}}, host, app);
  const FunctionApp middle([&](Request& request) {
    Request sub = make_subrequest(request, "GET", "/v1/a/c/sub", "SLO", true);
    Response answer = (*right)(sub);
    body_of(answer);
    return (*right)(request);
  });
  const auto left =
      load_filter("proxy_logging", {{"log_msg_template", "left {source}"}}, host, middle);
  Request request = make_request("GET", "/v1/a/c/o");
  Response response = (*left)(request);
  body_of(response);
  response.body.reset();
  CHECK(host.log.text() == "SLO\nleft -\n");
}

TEST_CASE("proxy_logging: bytes are counted as they stream, and a client that leaves is a 499") {
  Logging logging(OptionTexts{{"log_msg_template", "{status_int} {wire_status_int} {bytes_sent}"}});
  logging.app.otherwise({200, {}, std::string(1000, 'x')});
  CHECK(logging.line(Logging::request("GET", "/v1/a/c/o")) == "200 200 1000");
  CHECK(logging.line(Logging::request("GET", "/v1/a/c/o"), 10) == "499 200 10");
  CHECK(logging.line(Logging::request("GET", "/v1/a/c/o"), 0) == "499 200 -");
  CHECK(logging.line(Logging::request("HEAD", "/v1/a/c/o"), 0) == "200 200 -");
  Request sub = Logging::request("GET", "/v1/a/c/o");
  sub.context.source = "VW";
  CHECK(logging.line(std::move(sub), 10) == "499 200 10");
  logging.app.otherwise({404, {}, "not here"});
  CHECK(logging.line(Logging::request("GET", "/v1/a/c/o"), 0) == "499 404 -");
  sub = Logging::request("GET", "/v1/a/c/o");
  sub.context.source = "VW";
  CHECK(logging.line(std::move(sub), 0) == "404 404 -");
}

TEST_CASE("proxy_logging: what a client sent before it left") {
  Logging logging(OptionTexts{{"log_msg_template", "{status_int} {bytes_recvd}"}});
  Request request = Logging::request("PUT", "/v1/a/c/o");
  request.body =
      std::make_unique<PieceSource>(std::string(100, 'x'), 30, BodyError::Kind::kDisconnect);
  request.content_length = 500;
  CHECK_THROWS_AS((*logging.filter)(request), BodyError);
  CHECK(logging.host.log.text() == "499 100\n");
  Request whole = Logging::request("PUT", "/v1/a/c/o");
  whole.body = std::make_unique<PieceSource>(std::string(100, 'x'), 30);
  whole.content_length = 100;
  CHECK(logging.line(std::move(whole)) == "200 100");
}

TEST_CASE("proxy_logging: an app that throws is a 500, a body that throws too") {
  Logging logging(OptionTexts{{"log_msg_template", "{status_int} {wire_status_int}"}});
  logging.app.otherwise([](Request&) -> Response { throw std::runtime_error("boom"); });
  Request request = Logging::request("GET", "/v1/a");
  CHECK_THROWS_AS((*logging.filter)(request), std::runtime_error);
  CHECK(logging.host.log.text() == "500 500\n");
  logging.host.log.clear();
  logging.app.otherwise([](Request&) {
    Response out(200);
    out.body = std::make_unique<PieceSource>("abc", 0, BodyError::Kind::kIo);
    out.content_length = 10;
    return out;
  });
  Request again = Logging::request("GET", "/v1/a");
  {
    Response response = (*logging.filter)(again);
    CHECK_THROWS_AS(body_of(response), BodyError);
  }
  CHECK(logging.host.log.text() == "500 200\n");
}

TEST_CASE("proxy_logging: numbers bear Swift's names") {
  Logging logging;
  const auto ask = [&](const char* method, const char* path, std::optional<int> policy) {
    Request request = Logging::request(method, path);
    request.context.policy_index = policy;
    logging.line(std::move(request));
  };
  const KeptMetrics& numbers = logging.host.numbers;
  ask("GET", "/v1/a/c/o/p", 0);
  CHECK(numbers.counter("object.GET.200.xfer") == 5);
  CHECK(numbers.timings("object.GET.200.timing").size() == 1);
  CHECK(numbers.timings("object.GET.200.first-byte.timing").size() == 1);
  CHECK(numbers.counter("object.policy.0.GET.200.xfer") == 5);
  CHECK(numbers.timings("object.policy.0.GET.200.first-byte.timing").size() == 1);
  ask("FLY", "/v1/a/c/", 0);
  CHECK(numbers.counter("container.BAD_METHOD.200.xfer") == 5);
  ask("PUT", "/v1/a", std::nullopt);
  CHECK(numbers.counter("account.PUT.200.xfer") == 5);
  CHECK(numbers.timings("account.PUT.200.first-byte.timing").empty());
  ask("GET", "/v1/a/c/o", 7);  // no such policy
  CHECK(numbers.timings("object.policy.7.GET.200.timing").empty());
  ask("GET", "/healthcheck", std::nullopt);
  CHECK(numbers.timings("None.GET.200.timing").empty());
  Request sub = Logging::request("GET", "/info");
  sub.context.source = "TU";
  logging.line(std::move(sub));
  CHECK(numbers.counter("TU.GET.200.xfer") == 5);
}

TEST_CASE("proxy_logging: its own level, and the methods that have numbers") {
  Logging silent(OptionTexts{{"access_log_level", "ERROR"}, {"log_level", "DEBUG"}});
  Logging few(OptionTexts{{"access_log_statsd_valid_http_methods", "get , put"}});
  few.line(Logging::request("HEAD", "/v1/a"));
  CHECK(few.host.numbers.timings("account.BAD_METHOD.200.timing").size() == 1);
}

TEST_CASE("proxy_logging: a stretch of a file goes through to the host") {
  Logging logging(OptionTexts{{"log_msg_template", "{status_int} {bytes_sent}"}});
  struct Region final : Source {
    std::size_t read(std::span<char>) override { return 0; }
    std::optional<FileRegion> file_region() override { return FileRegion{0, 5, 1000}; }
  };
  logging.app.otherwise([](Request&) {
    Response out(200);
    out.body = std::make_unique<Region>();
    out.content_length = 1000;
    return out;
  });
  const auto ask = [&](auto tell) {
    logging.host.log.clear();
    Request request = Logging::request("GET", "/v1/a/c/o");
    Response response = (*logging.filter)(request);
    const auto region = response.body->file_region();
    REQUIRE(region);
    CHECK(region->offset == 5);
    tell(*response.body);
    response.body.reset();
    return logging.host.log.text();
  };
  CHECK(ask([](Source& body) { body.sent(); }) == "200 1000\n");
  CHECK(ask([](Source&) {}) == "499 -\n");
}
