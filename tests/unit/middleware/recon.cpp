#include <apus/json.h>
#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <apus/testing/temp_tree.h>
#include <doctest/doctest.h>

using namespace apus;
using namespace apus::testing;

namespace {

struct Recon {
  Recon() {
    host.conf.directory = (tree.path() / "etc").string();
    app.otherwise({200, {}, "passed"});
    filter = load_filter("recon",
                         {{"recon_cache_path", (tree.path() / "cache").string()},
                          {"devices", (tree.path() / "dev").string()}},
                         host, app);
  }
  std::string ask(const std::string& target) {
    Request request = make_request("GET", target);
    Response response = (*filter)(request);
    return std::to_string(response.status) + " " + body_of(response);
  }
  Json json(const std::string& target) {
    const std::string text = ask(target);
    REQUIRE(text.starts_with("200 "));
    const auto out = Json::parse(text.substr(4));
    REQUIRE(out);
    return *out;
  }
  TempTree tree;
  TestHost host;
  FakeApp app;
  std::unique_ptr<const App> filter;
};

}  // namespace

TEST_CASE("recon: the machine's own numbers") {
  Recon recon;
  const Json load = recon.json("/recon/load");
  CHECK(load.find("1m")->number().has_value());
  CHECK(load.find("tasks")->text()->find('/') != std::string::npos);
  CHECK(*load.find("processes")->integer() > 0);
  CHECK(recon.json("/recon/mem").find("MemTotal")->text()->ends_with(" kB"));
  CHECK_FALSE(recon.json("/recon/mounted").array()->empty());
  CHECK(recon.json("/recon/sockstat").object() != nullptr);
  recon.host.time.set(1700000000.25);
  CHECK(recon.ask("/recon/time") == "200 1700000000.25");
  CHECK(recon.ask("/recon/version") == "200 {\"version\": \"2.30.1\"}");
}

TEST_CASE("recon: devices, their mounts and their use") {
  Recon recon;
  const std::string dev = (recon.tree.path() / "dev").string();
  CHECK(recon.ask("/recon/devices") == "200 {\"" + dev + "\": null}");
  CHECK(recon.ask("/recon/unmounted") == "500 Internal server error.");
  recon.tree.write("dev/sda1/.ismount", "");
  recon.tree.write("dev/sdb1/x", "");
  recon.tree.write("dev/file", "");
  CHECK(recon.ask("/recon/unmounted") == "200 [{\"device\": \"sdb1\", \"mounted\": false}]");
  const Json usage = recon.json("/recon/diskusage");
  REQUIRE(usage.array()->size() == 2);
  for (const Json& one : *usage.array()) {
    const bool mounted = *one.find("device")->text() == "sda1";
    CHECK(*one.find("mounted")->boolean() == mounted);
    if (!mounted) {
      CHECK(*one.find("size")->text() == "");
      continue;
    }
    CHECK(*one.find("size")->integer() ==
          *one.find("used")->integer() + *one.find("avail")->integer());
  }
}

TEST_CASE("recon: what was quarantined, by kind and policy") {
  Recon recon;
  for (const char* path :
       {"objects/a/x", "objects/b/x", "objects-1/a/x", "containers/a/x", "strange/a/x"})
    recon.tree.write(std::string("dev/sda1/quarantined/") + path, "");
  recon.tree.write("dev/sdb1/quarantined/accounts/a/x", "");
  CHECK(recon.ask("/recon/quarantined") ==
        R"(200 {"objects": 3, "containers": 1, "accounts": 1, "policies": {"0": {"objects": 2}, )"
        R"("1": {"objects": 1}}})");
}

TEST_CASE("recon: rings and swift.conf by their MD5") {
  Recon recon;
  const std::string etc = recon.host.conf.directory;
  CHECK(recon.ask("/recon/ringmd5") == "200 {}");
  CHECK(recon.ask("/recon/swiftconfmd5") == "200 {\"" + etc + "/swift.conf\": null}");
  recon.tree.write("etc/object.ring.gz", "abc");
  recon.tree.write("etc/swift.conf", "abc");
  const std::string sum = "900150983cd24fb0d6963f7d28e17f72";
  CHECK(recon.ask("/recon/ringmd5") == "200 {\"" + etc + "/object.ring.gz\": \"" + sum + "\"}");
  CHECK(recon.ask("/recon/swiftconfmd5") == "200 {\"" + etc + "/swift.conf\": \"" + sum + "\"}");
}

TEST_CASE("recon: what daemons left behind") {
  Recon recon;
  recon.tree.write("cache/object.recon",
                   R"({"async_pending": 5, "async_pending_last": 1.5, "replication_time": 2,)"
                   R"( "object_auditor_stats_ALL": {"disk": {"passes": 1}}, "other": 1})");
  CHECK(recon.ask("/recon/async") == R"(200 {"async_pending": 5, "async_pending_last": 1.5})");
  CHECK(recon.json("/recon/replication").find("replication_time")->integer() != nullptr);
  CHECK(recon.ask("/recon/replication") == recon.ask("/recon/replication/object"));
  CHECK(recon.ask("/recon/auditor/object") ==
        R"(200 {"object_auditor_stats_ALL": {"disk": {"passes": 1}}, )"
        R"("object_auditor_stats_ZBF": null})");
  for (const char* path :
       {"/recon/replication/account", "/recon/replication/container", "/recon/updater/container",
        "/recon/updater/object", "/recon/expirer/object", "/recon/auditor/account",
        "/recon/auditor/container", "/recon/driveaudit", "/recon/sharding", "/recon/relinker",
        "/recon/reconstruction/object"}) {
    CAPTURE(path);
    CHECK(recon.ask(path).starts_with("200 {"));
  }
  CHECK(recon.host.log.has("Error reading recon cache file"));
  for (const char* junk : {"", "{", "[]", "3", "{\"async_pending\": "}) {
    recon.tree.write("cache/object.recon", junk);
    CHECK(recon.ask("/recon/async") ==
          R"(200 {"async_pending": null, "async_pending_last": null})");
  }
  CHECK(recon.host.log.has("Error parsing recon cache file"));
}

TEST_CASE("recon: what it does not know") {
  Recon recon;
  for (const char* path : {"/recon/", "/recon/foo", "/recon/updater/account", "/recon/expirer/x",
                           "/recon/replication/foo", "/recon/auditor", "/recon/a/b/c"}) {
    CAPTURE(path);
    CHECK(recon.ask(path) == std::string("404 Invalid path: ") + path);
  }
  CHECK(recon.ask("/recon") == "200 passed");
  CHECK(recon.ask("/sda1/0/a") == "200 passed");
}
