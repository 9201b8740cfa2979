#include <apus/digest.h>
#include <apus/json.h>
#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <doctest/doctest.h>

#include <stdexcept>

using namespace apus;
using namespace apus::testing;

namespace {

const std::string kKey = "sixteen-letters-";

struct Profiled {
  explicit Profiled(OptionTexts options = {{"enabled", "yes"}, {"admin_key", kKey}}) {
    app.otherwise({204});
    filter = load_filter("xprofile", options, host, app);
  }
  Response ask(const std::string& method, const std::string& target) {
    Request request = make_request(method, target);
    return (*filter)(request);
  }
  static std::string link(const std::string& key = kKey, const std::string& path = "/__profile__",
                          const std::string& expires = "1700000060",
                          const std::string& method = "GET") {
    return path + "?signature=" +
           to_hex(hmac(DigestKind::kSha256, key, method + "\n" + expires + "\n" + path)) +
           "&expires=" + expires;
  }
  Json profile() {
    Response out = ask("GET", link());
    REQUIRE(out.status == 200);
    return *Json::parse(body_of(out));
  }

  TestHost host;
  FakeApp app;
  std::unique_ptr<const App> filter;
};

}  // namespace

TEST_CASE("xprofile: off unless it is turned on, with Swift's own options") {
  Profiled off({{"profile_module", "eventlet.green.profile"},
                {"log_filename_prefix", "/etc/passwd"},
                {"dump_interval", "5.0"},
                {"dump_timestamp", "no"},
                {"path", "/__profile__"},
                {"flush_at_shutdown", "no"},
                {"unwind", "no"}});
  CHECK(off.ask("GET", "/__profile__").status == 204);
  CHECK(off.app.last().path == "/__profile__");
  CHECK(off.ask("GET", Profiled::link("")).status == 204);
}

TEST_CASE("xprofile: without a key it does not start") {
  TestHost host;
  FakeApp app;
  for (const OptionTexts& options :
       {OptionTexts{{"enabled", "yes"}}, OptionTexts{{"enabled", "yes"}, {"admin_key", "short"}},
        OptionTexts{{"enabled", "yes"}, {"admin_key", kKey}, {"path", "//"}}}) {
    CHECK_THROWS_AS(load_filter("xprofile", options, host, app), std::runtime_error);
  }
}

TEST_CASE("xprofile: verbs, their number, failures and time") {
  Profiled p;
  p.app.on("PUT", "/v1/a/c/o", [&](Request&) {
    p.host.time.advance(std::chrono::milliseconds(1500));
    return Response(201);
  });
  p.app.on("GET", "/v1/a/c/bad", {503});
  p.app.on("GET", "/v1/a/c/worse", [](Request&) -> Response { throw std::runtime_error("x"); });
  p.ask("PUT", "/v1/a/c/o");
  p.ask("GET", "/v1/a/c/o");
  p.ask("GET", "/v1/a/c/bad");
  CHECK_THROWS_AS(p.ask("GET", "/v1/a/c/worse"), std::runtime_error);
  p.ask("BREW", "/v1/a/c/o");
  const Json profile = p.profile();
  const Json& verbs = *profile.find("verbs");
  CHECK(verbs.object()->size() == 3);
  CHECK(*verbs.find("PUT")->find("requests")->integer() == 1);
  CHECK(*verbs.find("PUT")->find("seconds")->number() == doctest::Approx(1.5));
  CHECK(*verbs.find("PUT")->find("longest_seconds")->number() == doctest::Approx(1.5));
  CHECK(*verbs.find("PUT")->find("failures")->integer() == 0);
  CHECK(*verbs.find("GET")->find("requests")->integer() == 3);
  CHECK(*verbs.find("GET")->find("failures")->integer() == 2);
  CHECK(*verbs.find("other")->find("requests")->integer() == 1);
}

TEST_CASE("xprofile: the process, and nothing of files") {
  Profiled p;
  const Json profile = p.profile();
  const Json& process = *profile.find("process");
  CHECK(*process.find("resident_bytes")->integer() > 1000000);
  CHECK(*process.find("peak_resident_bytes")->integer() >=
        *process.find("resident_bytes")->integer());
  CHECK(*process.find("threads")->integer() >= 1);
  CHECK(*process.find("user_seconds")->number() >= 0);
  CHECK(profile.find("filters")->object() != nullptr);
}

TEST_CASE("xprofile: who does not hold the key learns nothing") {
  Profiled p;
  const std::string good = Profiled::link();
  for (const std::string& target :
       {std::string("/__profile__"), std::string("/__profile__/"),
        std::string("/__profile__?signature=&expires="),
        std::string("/__profile__?signature=x&expires=99999999999999999999"),
        Profiled::link("another-key-of-ours"), Profiled::link(kKey, "/__profile__", "1699999999"),
        Profiled::link(kKey, "/__profile__", "1700000060", "PUT"),
        good.substr(0, good.size() - 1) + "1"}) {
    CAPTURE(target);
    for (const char* method : {"GET", "HEAD", "POST", "DELETE"}) {
      Response out = p.ask(method, target);
      CHECK(out.status == 401);
      CHECK(body_of(out).find("resident") == std::string::npos);
    }
  }
  CHECK(p.app.calls().empty());
  CHECK(p.ask("HEAD", good).status == 200);
  CHECK(p.ask("POST", good).status == 405);
  // What Swift's viewer took for names of profiles, and so for files, is not here at all.
  for (const char* more : {"/__profile__/all", "/__profile__/../../etc/passwd", "/__profile__x"})
    CHECK(p.ask("GET", more).status == 204);
}
