// The object updater, through its shared object, in front of container servers that are functions.
#include <apus/testing/temp_tree.h>

#include <algorithm>
#include <filesystem>

#include "framework/store/object/async_pending.h"
#include "tests/unit/proxy/fake_cluster.h"

namespace apus::test {
namespace {

namespace fs = std::filesystem;

const std::string kOlder = "1699990000.00000";
const std::string kNewer = "1699990001.00000";

struct Updates {
  Updates() { fs::create_directories(tree.path() / "srv/sda"); }

  AsyncPending update(const std::string& object, const std::string& when,
                      const std::string& container = "c") const {
    AsyncPending out;
    out.operation = "PUT";
    out.account = "a";
    out.container = container;
    out.object = object;
    out.headers = {{"X-Timestamp", when}, {"X-Size", "3"}, {"X-Etag", "e"}};
    return out;
  }
  std::string path(const AsyncPending& one, const std::string& directory = "async_pending") const {
    const std::string hash = cluster.host.conf.hash_path(one.account, one.container, one.object);
    return "srv/sda/" + directory + "/" + hash.substr(29) + "/" + hash + "-" +
           one.timestamp()->internal();
  }
  std::string queue(const AsyncPending& one, const std::string& directory = "async_pending") {
    tree.write(path(one, directory), one.encode());
    return path(one, directory);
  }
  [[nodiscard]] bool has(const std::string& file) const { return fs::exists(tree.path() / file); }
  void sweep(OptionTexts options = {}) {
    options["devices"] = (tree.path() / "srv").string();
    options["mount_check"] = "false";
    options["recon_cache_path"] = tree.path().string();
    load_daemon("object-updater", options, cluster.host)->run_once({});
  }
  std::int64_t count(const char* name) const { return cluster.host.numbers.counter(name); }

  mutable FakeCluster cluster;
  TempTree tree;
};

TEST_CASE_FIXTURE(Updates, "the newest update of an object goes to all its container's servers") {
  const std::string old = queue(update("o \xE2\x98\x83", kOlder));
  const std::string file = queue(update("o \xE2\x98\x83", kNewer));
  sweep();
  CHECK_FALSE(has(old));
  CHECK_FALSE(has(file));
  CHECK(fs::is_empty(tree.path() / "srv/sda/async_pending"));
  const auto seen = cluster.seen(kContainerNode, "PUT");
  REQUIRE(seen.size() == 3);
  for (const auto& one : seen) {
    CHECK(one.path == "/d" + std::to_string(one.device) + "/7/a/c/o \xE2\x98\x83");
    CHECK(one.internal.get("X-Timestamp", one.headers.get("X-Timestamp")) == kNewer);
    CHECK(one.headers.get("X-Etag") == "e");
    CHECK(one.headers.get("User-Agent").starts_with("object-updater "));
    CHECK(one.internal.get("X-Backend-Storage-Policy-Index") == "0");
    CHECK(one.internal.get("X-Backend-Accept-Redirect") == "true");
  }
  CHECK(count("successes") == 1);
  CHECK(count("unlinks") == 2);
  CHECK(tree.read("object.recon").find("object_updater_sweep") != std::string::npos);
}

TEST_CASE_FIXTURE(Updates, "who has an update is noted and not told again") {
  cluster.on[kContainerNode] = [](Request&, std::size_t device) {
    return Response(device == 1 ? 503 : 201);
  };
  const std::string file = queue(update("o", kNewer));
  sweep();
  CHECK(count("failures") == 1);
  auto kept = AsyncPending::decode(tree.read(file));
  REQUIRE(kept);
  std::sort(kept->successes.begin(), kept->successes.end());
  CHECK(kept->successes == std::vector<std::int64_t>{0, 2});
  CHECK(fs::is_empty(tree.path() / "srv/sda/tmp"));
  cluster.forget();
  cluster.on[kContainerNode] = [](Request&, std::size_t) { return Response(202); };
  sweep();
  CHECK_FALSE(has(file));
  REQUIRE(cluster.seen(kContainerNode).size() == 1);
  CHECK(cluster.seen(kContainerNode)[0].device == 1);
}

TEST_CASE_FIXTURE(Updates,
                  "an update is sent on to the shard of the newest redirect, once at once") {
  cluster.on[kContainerNode] = [](Request& request, std::size_t device) {
    if (!request.path.starts_with("/d" + std::to_string(device) + "/7/a/c/")) {
      return Response(request.path.find("/.shards_a/c \xC3\xBC 2/o") == std::string::npos ? 500
                                                                                          : 201);
    }
    Response out(301);
    out.headers.set("Location", "/.shards_a/c%20%C3%BC%20" + std::to_string(device) + "/o");
    out.internal.set("X-Backend-Location-Is-Quoted", "true");
    out.internal.set("X-Backend-Redirect-Timestamp", "170000000" + std::to_string(device));
    return out;
  };
  const std::string file = queue(update("o", kNewer));
  sweep();
  CHECK_FALSE(has(file));
  INFO(cluster.host.log.text());
  CHECK(cluster.seen(kContainerNode).size() == 6);
  CHECK(count("redirects") == 1);
  CHECK(count("successes") == 1);
}

TEST_CASE_FIXTURE(Updates, "shards that send to each other: back to the root") {
  cluster.on[kContainerNode] = [](Request& request, std::size_t) {
    Response out(301);
    const bool first = request.path.find("/shard1/") == std::string::npos;
    out.headers.set("Location", first ? "/.shards_a/shard1" : "/.shards_a/shard2");
    out.internal.set("X-Backend-Redirect-Timestamp", "1700000000");
    return out;
  };
  const std::string file = queue(update("o", kNewer));
  const auto kept = [&] { return *AsyncPending::decode(tree.read(file)); };
  sweep();
  CHECK(kept().container_path == ".shards_a/shard2");
  CHECK(kept().redirect_history ==
        std::vector<std::string>{".shards_a/shard1", ".shards_a/shard2"});
  sweep();  // shard2 sends to shard1, which was tried: the root sends to shard1 again
  CHECK(kept().container_path == ".shards_a/shard1");
  CHECK(kept().redirect_history == std::vector<std::string>{".shards_a/shard1"});
}

TEST_CASE_FIXTURE(Updates, "a redirect to nowhere is told and stays a failure") {
  cluster.on[kContainerNode] = [](Request&, std::size_t) {
    Response out(301);
    out.headers.set("Location", "/.shards_a/c");
    return out;
  };
  const std::string file = queue(update("o", kNewer));
  sweep();
  CHECK(has(file));
  CHECK(cluster.host.log.has("problem with redirect location"));
  CHECK(count("failures") == 1);
}

TEST_CASE_FIXTURE(Updates,
                  "what is no update goes to quarantine, odd names stay, policies are told") {
  cluster.host.conf.policies.push_back({1, "silver", {}, false, false, "replication"});
  tree.write("srv/sda/async_pending-1/abc/" + std::string(29, '0') + "abc-1.00000", "no pickle");
  AsyncPending odd = update("o", kNewer);
  odd.operation = "POST";
  tree.write("srv/sda/async_pending/abd/" + std::string(29, '0') + "abd-1.00000", odd.encode());
  tree.write("srv/sda/async_pending/abc/one-two-three", "x");
  tree.write("srv/sda/async_pending-7/abc/x-1", "x");
  const std::string silver = queue(update("o", kNewer), "async_pending-1");
  sweep();
  CHECK(has("srv/sda/quarantined/objects/" + std::string(29, '0') + "abc-1.00000"));
  CHECK(has("srv/sda/quarantined/objects/" + std::string(29, '0') + "abd-1.00000"));
  CHECK_FALSE(has("srv/sda/async_pending-1/abc"));
  CHECK(has("srv/sda/async_pending/abc/one-two-three"));
  CHECK(has("srv/sda/async_pending-7/abc/x-1"));
  CHECK(cluster.host.log.has("Directory 'async_pending-7' does not map to a valid policy"));
  CHECK_FALSE(has(silver));
  REQUIRE(cluster.seen(kContainerNode).size() == 3);
  CHECK(cluster.seen(kContainerNode)[0].internal.get("X-Backend-Storage-Policy-Index") == "1");
  CHECK(count("quarantines") == 2);
  CHECK(count("errors") == 1);
}

TEST_CASE_FIXTURE(Updates, "no busy container holds up the others") {
  for (int i = 0; i < 6; ++i) queue(update("o" + std::to_string(i), kNewer, "busy"));
  queue(update("o", kNewer, "calm"));
  const OptionTexts slow = {{"objects_per_second", "0"},
                            {"max_objects_per_container_per_second", "1"},
                            {"per_container_ratelimit_buckets", "100000"}};
  SUBCASE("those put off are sent while there is time") {
    OptionTexts options = slow;
    options["interval"] = "4.5";
    sweep(options);
    CHECK(count("deferrals") == 5);
    // One at once, then one a second until the time is over.
    CHECK(count("drains") == 5);
    CHECK(count("successes") == 7);
    CHECK(count("skips") == 0);
    CHECK(cluster.host.time.slept() >= std::chrono::seconds(5));
  }
  SUBCASE("no time") {
    OptionTexts options = slow;
    options["interval"] = "0";
    sweep(options);
    CHECK(count("successes") == 2);
    CHECK(count("skips") == 5);
  }
  SUBCASE("no room") {
    OptionTexts options = slow;
    options["max_deferred_updates"] = "2";
    sweep(options);
    CHECK(count("deferrals") == 5);
    CHECK(count("skips") == 3);
    CHECK(count("drains") == 2);
    CHECK(count("successes") == 4);
  }
}

TEST_CASE_FIXTURE(Updates, "the rate holds, a device that is not mounted is told") {
  for (int i = 0; i < 11; ++i) queue(update("o" + std::to_string(i), kNewer));
  sweep({{"objects_per_second", "10"}});
  CHECK(cluster.host.time.slept() == std::chrono::seconds(1));
  tree.write("srv/a file", "");
  sweep();
  CHECK(cluster.host.log.has("Skipping: "));
}

}  // namespace
}  // namespace apus::test
