#include <apus/digest.h>
#include <apus/testing/fake_app.h>
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/message.h>
#include <apus/testing/temp_tree.h>
#include <doctest/doctest.h>

using namespace apus;
using namespace apus::testing;

namespace {

struct Sync {
  explicit Sync(const OptionTexts& options = {}) {
    host.conf.directory = tree.path().string();
    tree.write("container-sync-realms.conf",
               "[DEFAULT]\nmtime_check_interval = 60\n[us]\nkey = k1\nkey2 = k2\n"
               "cluster_dfw1 = http://dfw1/v1/\n[EMPTY]\nkey = x\n");
    app.otherwise({201});
    app.on("HEAD", "/v1/a", FakeAnswer{204});
    app.on("HEAD", "/v1/a/c", FakeAnswer{204, {{"X-Container-Sync-Key", "user"}}, ""});
    filter = load_filter("container_sync", options, host, app);
  }
  static std::string sign(const std::string& key, const std::string& stamp) {
    return to_hex(hmac(DigestKind::kSha1, key, "PUT\n/v1/a/c/o%20o\n" + stamp + "\nnonce\nuser"));
  }
  int ask(const std::string& auth, const char* stamp = "1700000001.00000") {
    Request request = make_request("PUT", "/v1/a/c/o%20o", {{"X-Container-Sync-Auth", auth}});
    request.internal.set("X-Backend-Inbound-X-Timestamp", stamp);
    const int status = (*filter)(request).status;
    context = request.context;
    return status;
  }
  TempTree tree;
  TestHost host;
  FakeApp app;
  std::unique_ptr<const App> filter;
  Context context;
};

}  // namespace

TEST_CASE("container_sync: a signature by either key of the realm lets in") {
  Sync sync;
  for (const char* key : {"k1", "k2"}) {
    CHECK(sync.ask("US nonce " + Sync::sign(key, "1700000001.00000")) == 201);
    CHECK(sync.context.authorize_override);
    CHECK(sync.context.slo_override);
    CHECK(sync.context.symlink_override);
    CHECK(sync.context.log_info.back() == "cs:valid");
    REQUIRE(sync.context.timestamp);
    CHECK(sync.context.timestamp->normal() == "1700000001.00000");
  }
}

TEST_CASE("container_sync: everything else is refused, and the access log has the reason") {
  Sync sync;
  const std::string good = Sync::sign("k1", "1700000001.00000");
  const auto why = [&](const std::string& auth) {
    CHECK(sync.ask(auth) == 401);
    CHECK_FALSE(sync.context.authorize_override);
    return sync.context.log_info.back();
  };
  CHECK(why("US nonce") == "cs:not-3-args");
  CHECK(why("US nonce " + good + " more") == "cs:not-3-args");
  CHECK(why("XX nonce " + good) == "cs:no-local-realm-key");
  CHECK(why("US other " + good) == "cs:invalid-sig");
  CHECK(why("US nonce " + good.substr(1)) == "cs:invalid-sig");
  CHECK(sync.ask("US nonce " + good, "1700000002.00000") == 401);
  sync.app.on("HEAD", "/v1/a/c", FakeAnswer{204});
  CHECK(why("US nonce " + good) == "cs:no-local-user-key");
  Request request = make_request("GET", "/v1/a/c/o", {{"X-Container-Sync-Auth", "x"}});
  Response response = (*sync.filter)(request);
  CHECK(response.headers.get("Www-Authenticate") == "SwiftContainerSync realm=\"a\"");
  CHECK(body_of(response) ==
        "X-Container-Sync-Auth header not valid; contact cluster operator for support.");
}

TEST_CASE("container_sync: where a container may be synced to") {
  Sync realms_only(OptionTexts{{"allow_full_urls", "no"}});
  const auto put = [&](const char* target) {
    Request request = make_request("PUT", "/v1/a/c", {{"X-Container-Sync-To", target}});
    return (*realms_only.filter)(request).status;
  };
  CHECK(put("http://elsewhere/v1/a/c") == 400);
  CHECK(put("//us/dfw1/a/c") == 201);
  Sync versioned;
  versioned.app.on("HEAD", "/v1/a/c",
                   FakeAnswer{204, {}, "", {{"X-Container-Sysmeta-Versions-Container", "v"}}});
  Request request = make_request("POST", "/v1/a/c", {{"X-Container-Sync-To", "//us/dfw1/a/c"}});
  CHECK((*versioned.filter)(request).status == 400);
}

TEST_CASE("container_sync: realms in /info, and the file looked at again") {
  Sync sync(OptionTexts{{"current", "//us/dfw1"}});
  const auto info = [&] {
    Request request = make_request("GET", "/info");
    (*sync.filter)(request);
    return sync.host.info().document(false, {});
  };
  CHECK(info().find(
            R"("container_sync": {"realms": {"US": {"clusters": {"DFW1": {"current": true}}}}})") !=
        std::string::npos);
  const auto path = sync.tree.write("container-sync-realms.conf", "[eu]\ncluster_x = http://x/\n");
  std::filesystem::last_write_time(
      path, std::filesystem::last_write_time(path) + std::chrono::seconds(5));
  CHECK(info().find("\"EU\"") == std::string::npos);
  sync.host.time.advance(std::chrono::seconds(61));
  CHECK(info().find("\"EU\"") != std::string::npos);
  sync.tree.write("container-sync-realms.conf", "broken\n");
  std::filesystem::last_write_time(
      path, std::filesystem::last_write_time(path) + std::chrono::seconds(15));
  sync.host.time.advance(std::chrono::seconds(301));
  CHECK(info().find("\"EU\"") != std::string::npos);
  CHECK(sync.host.log.has("Could not load"));
  CHECK(Sync(OptionTexts{{"current", "nonsense"}})
            .host.log.has("Invalid current //REALM/CLUSTER (nonsense)"));
}
