// The auditor's watchers, dark_data above all, through their shared objects.
#include <apus/testing/load.h>
#include <apus/testing/temp_tree.h>

#include <filesystem>

#include "framework/conf/paste.h"
#include "framework/plugin/loader.h"
#include "tests/unit/object_daemons/node.h"
#include "tests/unit/proxy/fake_cluster.h"

namespace apus::test {
namespace {

namespace fs = std::filesystem;

const std::string kOld = "1600000000.00000";

struct Dark {
  /// A file as the auditor would show it.
  std::string data_file() {
    return (tree.path() / "objects/1/abc/hash" / (kOld + ".data")).string();
  }
  AuditVerdict see(OptionTexts options, const std::string& name = "/a/c/o \xE2\x98\x83",
                   const std::string& when = kOld, AuditKind kind = AuditKind::kAll) {
    tree.write("objects/1/abc/hash/" + kOld + ".data", "bytes");
    tree.write("objects/1/abc/hash/1600000001.00000.meta", "");
    const auto watcher = load_watcher("dark_data", options, cluster.host);
    const Headers metadata{{"name", name}, {"X-Timestamp", when}};
    const std::string file = data_file();
    watcher->start(kind);
    const AuditVerdict out = watcher->see_object({metadata, file});
    watcher->end();
    return out;
  }
  void answer(int status, const std::string& body, const std::string& shards = "unsharded") {
    cluster.on[kContainerNode] = [=](Request&, std::size_t) {
      Response out(status, body, "application/json");
      out.internal.set("X-Backend-Sharding-State", shards);
      return out;
    };
  }
  [[nodiscard]] bool said(const std::string& text) { return cluster.host.log.has(text); }

  FakeCluster cluster;
  TempTree tree;
};

TEST_CASE_FIXTURE(Dark, "an object that its container lists is not dark") {
  answer(200, R"([{"name": "o \u2603", "bytes": 5}])");
  CHECK(see({{"action", "quarantine"}}) == AuditVerdict::kKeep);
  CHECK(said("total unknown 0 ok 1 dark 0"));
  const auto asked = cluster.seen(kContainerNode, "GET");
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].path.ends_with("/7/a/c"));
}

TEST_CASE_FIXTURE(Dark, "one that no server lists is, and befalls what the conf says") {
  answer(200, R"([{"name": "o \u2603 and more"}])");
  CHECK(see({}) == AuditVerdict::kKeep);
  CHECK(said("reporting dark data /a/c/o"));
  CHECK(cluster.seen(kContainerNode, "GET").size() == 3);
  CHECK(see({{"action", "quarantine"}}) == AuditVerdict::kQuarantine);
  CHECK(said("quarantining dark data /a/c/o"));
  CHECK(fs::exists(data_file()));
  answer(204, "");
  CHECK(see({{"action", "delete"}}) == AuditVerdict::kKeep);
  CHECK(said("deleting dark data " + fs::path(data_file()).parent_path().string()));
  CHECK_FALSE(fs::exists(fs::path(data_file()).parent_path()));
  CHECK(said("total unknown 0 ok 0 dark 1"));
  CHECK(see({{"action", "burn"}}) == AuditVerdict::kKeep);
  CHECK(said("Dark data action 'burn' unknown, defaults to action = 'log'"));
  CHECK(fs::exists(data_file()));
}

TEST_CASE_FIXTURE(Dark, "nobody knows while a server does not answer, or rows are in shards") {
  cluster.on[kContainerNode] = [](Request&, std::size_t device) {
    return device == 1 ? Response(503) : Response(200, "[]", "application/json");
  };
  see({{"action", "delete"}});
  answer(404, "");
  see({{"action", "delete"}});
  answer(200, "no json");
  see({{"action", "delete"}});
  for (const char* state : {"sharding", "sharded"}) {
    answer(200, "[]", state);
    see({{"action", "delete"}});
  }
  CHECK(fs::exists(data_file()));
  CHECK(said("total unknown 1 ok 0 dark 0"));
  CHECK_FALSE(said("dark 1"));
}

TEST_CASE_FIXTURE(Dark, "what is stored while servers are asked is not deleted") {
  cluster.on[kContainerNode] = [this](Request&, std::size_t) {
    tree.write("objects/1/abc/hash/1700000000.00000.data", "newer");
    return Response(204);
  };
  see({{"action", "delete"}});
  CHECK_FALSE(fs::exists(data_file()));
  CHECK(tree.read("objects/1/abc/hash/1700000000.00000.data") == "newer");
  CHECK_FALSE(said("cannot remove"));
}

TEST_CASE_FIXTURE(Dark, "young objects and the pass over metadata ask nobody") {
  answer(204, "");
  const std::string young = Timestamp::from_seconds(cluster.host.time.now() - 604000).internal();
  see({{"action", "delete"}}, "/a/c/o", young);
  CHECK(said("total unknown 0 ok 1 dark 0"));
  see({{"action", "delete"}, {"grace_age", "1"}}, "/a/c/o", kOld, AuditKind::kZeroByte);
  CHECK(cluster.seen(kContainerNode).empty());
  CHECK(fs::exists(data_file()));
  see({{"action", "delete"}, {"grace_age", "1000"}}, "/a/c/o", young);
  CHECK_FALSE(fs::exists(data_file()));
  CHECK_THROWS(see({}, "/no object"));
}

TEST_CASE("the auditor shows a watcher what is whole, and sets aside what it wants") {
  FakeCluster cluster;
  Node node;
  node.host.use_transport(cluster.host.transport());
  node.host.use_rings(cluster.host.rings());
  cluster.on[kContainerNode] = [](Request& request, std::size_t) {
    const bool listed = request.query.get("prefix") == "listed";
    return listed ? Response(200, R"([{"name": "listed"}])", "application/json") : Response(204);
  };
  const ObjectPlace listed = node.place("/a/c/listed");
  const ObjectPlace dark = node.place("/a/c/dark");
  const ObjectPlace rotten = node.place("/a/c/rotten");
  node.put(listed, kOld, "bytes");
  node.put(dark, kOld, "");
  node.put(rotten, kOld, "bytes", std::string(32, '0'));
  const auto conf = node.tree.write(
      "object-server.conf",
      "[object-auditor]\nwatchers = dark_data\n[object-auditor:watcher:dark_data]\naction = "
      "quarantine\n");
  PluginLoader loader;
  std::vector<ConfProblem> problems;
  Options::Map values = resolve_daemon(read_conf(conf, problems), "object-auditor", problems);
  values["devices"] = {(node.tree.path() / "srv").string(), {}};
  values["mount_check"] = {"false", {}};
  values["recon_cache_path"] = {(node.tree.path() / "recon").string(), {}};
  const Descriptor& plugin = loader.load("object-auditor", PluginKind::kDaemon);
  const Options options("object-auditor", plugin.options, plugin.option_count, values);
  plugin.make_daemon({options, node.host})->run_once({});
  CHECK(node.names("sda/quarantined/objects") == std::set<std::string>{dark.hash, rotten.hash});
  CHECK(fs::exists(listed.folder()));
  CHECK(node.host.log.has("[audit-watcher dark_data] total unknown 0 ok 1 dark 1"));
  CHECK(node.host.log.has("[audit-watcher dark_data] quarantining dark data /a/c/dark"));
  CHECK(node.host.log.has(dark.folder() +
                          " failed audit and was quarantined: Requested by dark_data"));
}

TEST_CASE("a watcher that is none, or does not fit, is told at the start") {
  Node node;
  CHECK_THROWS_WITH_AS(node.run("object-auditor", {{"watchers", "dark_dada"}}),
                       doctest::Contains("did you mean dark_data?"), std::runtime_error);
  CHECK_THROWS_WITH_AS(node.run("object-auditor", {{"watchers", "healthcheck"}}),
                       doctest::Contains("is a plugin of kind filter, where a watcher is needed"),
                       std::runtime_error);
  // One that cannot work lets the others and the auditor go on: here there is no container ring.
  node.put(node.place("/a/c/o"), kOld, "bytes");
  node.run("object-auditor", {{"watchers", "egg:swift#dark_data"}});
  CHECK(node.host.log.has("Error initializing watcher: "));
  CHECK(node.host.log.has("mode completed"));
}

}  // namespace
}  // namespace apus::test
