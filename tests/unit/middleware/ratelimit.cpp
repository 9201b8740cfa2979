#include <apus/cache.h>
#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

using namespace apus;
using namespace apus::testing;

namespace {

struct Ratelimit {
  explicit Ratelimit(const OptionTexts& options) {
    app.on("HEAD", "/v1/a", [this](Request&) {
      Response out(204);
      if (!global.empty()) out.internal.set("X-Account-Sysmeta-Global-Write-Ratelimit", global);
      return out;
    });
    app.on("HEAD", "/v1/a/c", [this](Request&) {
      Response out(204);
      out.headers.set("X-Container-Object-Count", std::to_string(objects));
      return out;
    });
    app.otherwise(FakeAnswer{201});
    filter = load_filter("ratelimit", options, host, app);
  }

  Response ask(std::string method, std::string target, bool with_cache = true) {
    Request request = make_request(std::move(method), target);
    if (with_cache) request.context.cache = &host.cache();
    return (*filter)(request);
  }
  // Seconds that so many requests slept.
  double slept(int count, const char* method, const char* target) {
    const auto before = host.time.slept();
    for (int i = 0; i < count; ++i) CHECK(ask(method, target).status == 201);
    return std::chrono::duration<double>(host.time.slept() - before).count();
  }

  TestHost host;
  FakeApp app;
  std::string global;
  int objects = 0;
  std::unique_ptr<const App> filter;
};

}  // namespace

TEST_CASE("ratelimit: containers of an account are made at the rate set") {
  Ratelimit r(OptionTexts{{"account_ratelimit", "5"}});
  // The first makes the counter; what it may start with is a turn like the others'.
  const double seconds = r.slept(11, "PUT", "/v1/a/c");
  CHECK(seconds == doctest::Approx(2.0).epsilon(0.11));
  CHECK(r.slept(5, "POST", "/v1/a/c") == 0);
  CHECK(r.slept(5, "GET", "/v1/a/c") == 0);
  CHECK(r.slept(5, "PUT", "/v1/a/c/o") == 0);
  CHECK(r.slept(5, "DELETE", "/v1/a/c") > 0.5);
  CHECK(r.host.cache().get("ratelimit/a").has_value());
}

TEST_CASE("ratelimit: the counter holds milliseconds since 1970, as Swift's does") {
  Ratelimit r(OptionTexts{{"account_ratelimit", "10"}});
  r.ask("PUT", "/v1/a/c");
  CHECK(r.host.cache().get("ratelimit/a") == "1700000000100");
  r.ask("PUT", "/v1/a/c");
  CHECK(r.host.cache().get("ratelimit/a") == "1700000000200");
}

TEST_CASE("ratelimit: turns that nobody took are kept for rate_buffer_seconds") {
  Ratelimit r(OptionTexts{{"account_ratelimit", "10"}, {"rate_buffer_seconds", "5"}});
  r.slept(2, "PUT", "/v1/a/c");
  r.host.time.advance(std::chrono::seconds(4));
  CHECK(r.slept(40, "PUT", "/v1/a/c") < 0.2);
  r.host.time.advance(std::chrono::seconds(100));
  r.slept(1, "PUT", "/v1/a/c");
  CHECK(r.slept(10, "PUT", "/v1/a/c") > 0.8);
}

TEST_CASE("ratelimit: rates lie on straight lines between the sizes") {
  Ratelimit r(OptionTexts{{"container_ratelimit_100", "100"},
                          {"container_ratelimit_200", "50"},
                          {"container_listing_ratelimit_100", "10"}});
  const auto rate = [&](int objects, const char* method, const char* target, const char* key) {
    r.objects = objects;
    r.host.time.advance(std::chrono::seconds(1000));
    r.slept(1, method, target);
    const auto at = [&] { return std::stoll(r.host.cache().get(key).value_or("0")); };
    const auto before = at();
    r.slept(1, method, target);
    return 1000.0 / static_cast<double>(at() - before);
  };
  CHECK(rate(100, "PUT", "/v1/a/c/o", "ratelimit/a/c") == doctest::Approx(100));
  CHECK(rate(150, "DELETE", "/v1/a/c/o", "ratelimit/a/c") == doctest::Approx(1000.0 / 13));
  CHECK(rate(300, "POST", "/v1/a/c/o", "ratelimit/a/c") == doctest::Approx(50));
  CHECK(rate(300, "GET", "/v1/a/c", "ratelimit_listing/a/c") == doctest::Approx(10));
  r.objects = 99;
  r.host.time.advance(std::chrono::seconds(1000));
  CHECK(r.slept(100, "PUT", "/v1/a/c/o") == 0);
  CHECK(r.slept(100, "GET", "/v1/a/c/o") == 0);
}

TEST_CASE("ratelimit: who would wait too long gets 498, and its turn goes back") {
  Ratelimit r(OptionTexts{{"account_ratelimit", "1"}, {"max_sleep_time_seconds", "0.5"}});
  CHECK(r.ask("PUT", "/v1/a/c").status == 201);
  Response out = r.ask("PUT", "/v1/a/c");
  int tries = 0;
  while (out.status == 201 && ++tries < 3) out = r.ask("PUT", "/v1/a/c");
  CHECK(out.status == 498);
  CHECK(out.reason == "Rate Limited");
  CHECK(body_of(out) == "Slow down");
  const auto counter = r.host.cache().get("ratelimit/a");
  CHECK(r.ask("PUT", "/v1/a/c").status == 498);
  CHECK(r.host.cache().get("ratelimit/a") == counter);
  CHECK(r.host.log.has("Returning 498 for PUT to"));
}

TEST_CASE("ratelimit: white and black lists, of the conf and of the account") {
  Ratelimit r(OptionTexts{{"account_ratelimit", "1"}, {"account_blacklist", "bad, worse"}});
  r.app.on("HEAD", "/v1/bad", FakeAnswer{204});
  Response out = r.ask("GET", "/v1/bad/c");
  CHECK(out.status == 497);
  CHECK(out.reason == "Blacklisted");
  CHECK(body_of(out) == "Your account has been blacklisted");
  CHECK(r.host.time.slept() == std::chrono::seconds(1));
  r.global = "BLACKLIST";
  CHECK(r.ask("GET", "/v1/a/c").status == 497);
  Ratelimit white(OptionTexts{{"account_ratelimit", "1"}});
  white.global = "WHITELIST";
  CHECK(white.slept(10, "PUT", "/v1/a/c") == 0);
  Ratelimit listed(OptionTexts{{"account_ratelimit", "1"}, {"account_whitelist", "a"}});
  CHECK(listed.slept(10, "PUT", "/v1/a/c") == 0);
  CHECK(listed.host.log.has("deprecated"));
}

TEST_CASE("ratelimit: an account's global write limit") {
  Ratelimit r(OptionTexts{});
  r.global = "10";
  r.slept(1, "PUT", "/v1/a/c/o");
  CHECK(r.slept(10, "POST", "/v1/a") > 0.8);
  CHECK(r.slept(10, "GET", "/v1/a") == 0);
  CHECK(r.host.cache().get("ratelimit/global-write/a").has_value());
  for (const char* text : {"x", "-1", "0", "nan"}) {
    Ratelimit none(OptionTexts{});
    none.global = text;
    CAPTURE(text);
    CHECK(none.slept(10, "PUT", "/v1/a/c/o") == 0);
  }
}

TEST_CASE("ratelimit: nothing without a cache, for other paths, and a second time") {
  Ratelimit r(OptionTexts{{"account_ratelimit", "1"}});
  CHECK(r.ask("PUT", "/v1/a/c", false).status == 201);
  CHECK(r.host.log.has("Cannot ratelimit without a memcached client"));
  for (int i = 0; i < 5; ++i) {
    CHECK(r.ask("PUT", "/v9/a/c").status == 201);
    CHECK(r.ask("GET", "/info").status == 201);
  }
  Request request = make_request("PUT", "/v1/a/c");
  request.context.cache = &r.host.cache();
  request.context.ratelimit_handled = true;
  for (int i = 0; i < 5; ++i) CHECK((*r.filter)(request).status == 201);
  CHECK(r.host.time.slept() == std::chrono::seconds(0));
}

TEST_CASE("ratelimit: a counter that is no number counts nothing") {
  Ratelimit r(OptionTexts{{"account_ratelimit", "1"}});
  r.host.cache().set("ratelimit/a", "{}", std::chrono::seconds(0));
  CHECK(r.ask("PUT", "/v1/a/c").status == 201);
}

TEST_CASE("ratelimit: /info and what the conf must not say") {
  Ratelimit r(OptionTexts{{"account_ratelimit", "5"}, {"container_ratelimit_10", "2.5"}});
  const std::string document = r.host.info().document(false, {});
  CHECK(document.find("\"account_ratelimit\": 5.0") != std::string::npos);
  CHECK(document.find("\"max_sleep_time_seconds\": 60.0") != std::string::npos);
  CHECK(document.find("\"container_ratelimits\": [[10, 2.5]]") != std::string::npos);
  CHECK(document.find("\"container_listing_ratelimits\": []") != std::string::npos);
  TestHost host;
  FakeApp app;
  CHECK_THROWS_AS(load_filter("ratelimit", {{"container_ratelimit_x", "1"}}, host, app),
                  std::runtime_error);
  CHECK_THROWS_AS(load_filter("ratelimit", {{"container_ratelimit_5", "x"}}, host, app),
                  std::runtime_error);
}
