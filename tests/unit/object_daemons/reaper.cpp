// The account reaper, through its shared object, in front of servers that are functions.
#include <apus/testing/temp_tree.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "framework/store/db/account_broker.h"
#include "tests/unit/proxy/fake_cluster.h"

namespace apus::test {
namespace {

const std::string kDeleted = "1699990000.00000";

struct Reaper {
  Reaper() {
    for (int i = 0; i < 3; ++i)
      std::filesystem::create_directories(tree.path() / ("srv/d" + std::to_string(i)));
    cluster.on[kContainerNode] = [this](Request& request, std::size_t device) {
      if (request.method == "DELETE") return Response(answer_of(device));
      if (failing.contains(device)) return Response(503);
      Json::Array list;
      for (const char* name : {"o \xC3\xBC", "o1", "p/q"}) {
        if (name <= request.query.get("marker") || !list.empty()) continue;
        Json one;
        one.set("name", name);
        list.push_back(std::move(one));
      }
      Response out(200, Json(std::move(list)).dump(), "application/json");
      out.internal.set("X-Backend-Storage-Policy-Index", policy);
      return out;
    };
    cluster.on[kObjectNode] = [this](Request&, std::size_t device) {
      return Response(answer_of(device));
    };
  }
  [[nodiscard]] int answer_of(std::size_t device) const {
    return failing.contains(device) ? 503 : 204;
  }
  // The account's database on one device, with these containers.
  void make(int device, const std::vector<std::string>& containers, bool deleted = true) {
    const std::string hash = cluster.host.conf.hash_path("a");
    const std::string folder = (tree.path() / ("srv/d" + std::to_string(device))).string();
    AccountBroker broker({cluster.host.disk(), cluster.host.clock(), cluster.host.entropy(),
                          cluster.host.logger(Options()), pool, cluster.host.conf.constraints},
                         {folder, "accounts", "7", hash}, "a");
    broker.create(Timestamp::from_seconds(1600000000));
    for (const std::string& name : containers)
      broker.put_container({name, "1600000001.00000", "0", 3, 30, false, 0});
    if (deleted) broker.mark_deleted(*Timestamp::parse(kDeleted));
  }
  void reap(int device, OptionTexts options = {}) {
    options["devices"] = (tree.path() / "srv").string();
    options["mount_check"] = "false";
    options["bind_ip"] = "10.0.0." + std::to_string(device);
    options.emplace("bind_port", "6200");
    options.emplace("concurrency", "4");
    load_daemon("account-reaper", options, cluster.host)->run_once({});
  }
  [[nodiscard]] std::set<std::string> deleted(Kind kind) const {
    std::set<std::string> out;
    for (const auto& one : cluster.seen(kind, "DELETE"))
      out.insert(one.path.substr(one.path.find("/7/") + 3));
    return out;
  }

  FakeCluster cluster;
  TempTree tree;
  DatabasePool pool;
  std::set<std::size_t> failing;
  std::string policy = "0";
};

TEST_CASE_FIXTURE(Reaper, "each of a deleted account's servers takes away its share") {
  const std::vector<std::string> names = {"c1", "c2", "c3", "c4", "c5", "\xC3\xBC"};
  std::set<std::string> all;
  for (int device = 0; device < 3; ++device) {
    make(device, names);
    cluster.forget();
    reap(device);
    const auto mine = deleted(kContainerNode);
    CHECK(mine.size() < names.size());
    all.insert(mine.begin(), mine.end());
    CHECK(deleted(kObjectNode).size() == 3 * mine.size());
  }
  CHECK(all == std::set<std::string>{"a/c1", "a/c2", "a/c3", "a/c4", "a/c5", "a/\xC3\xBC"});
  CHECK(cluster.host.log.has("Beginning pass on account a"));
  CHECK(cluster.host.log.has("Completed pass on account a, "));
  const auto object = cluster.seen(kObjectNode, "DELETE").front();
  CHECK(object.internal.get("X-Container-Host").starts_with("10.0.1."));
  CHECK(object.internal.get("X-Container-Partition") == "7");
  CHECK(object.internal.get("X-Backend-Storage-Policy-Index") == "0");
  for (const auto& one : cluster.seen(kContainerNode, "DELETE")) {
    const std::string pair = std::to_string(2 - one.device);
    CHECK(one.internal.get("X-Account-Host") == "10.0.0." + pair + ":6200");
    CHECK(one.internal.get("X-Account-Device") == "d" + pair);
    CHECK(one.headers.get("X-Account-Override-Deleted",
                          one.internal.get("X-Account-Override-Deleted")) == "yes");
  }
}

TEST_CASE_FIXTURE(Reaper,
                  "accounts that are not deleted, or lately, or elsewhere, are left alone") {
  const std::vector<std::string> names = {"c1", "c2", "c3", "c4"};
  make(0, names, false);
  make(1, names);
  make(2, {});
  reap(0);
  reap(2);
  reap(1, {{"delay_reaping", "20000"}});
  reap(1, {{"bind_port", "6299"}});
  CHECK(cluster.seen(kContainerNode).empty());
  reap(1, {{"bind_port", "0"}});
  CHECK_FALSE(cluster.seen(kContainerNode).empty());
}

TEST_CASE_FIXTURE(Reaper, "what servers refuse is told, and stays for another pass") {
  make(1, {"c1", "c2", "c3", "c4"});
  failing = {2};
  reap(1);
  CHECK(cluster.host.log.has("containers deleted"));
  CHECK(cluster.host.log.has("5xxs"));
  failing = {1, 2};
  cluster.host.log.clear();
  reap(1);
  CHECK(cluster.host.log.has("containers possibly remaining"));
  failing = {0, 1, 2};
  cluster.host.log.clear();
  reap(1, {{"reap_warn_after", "100"}});
  CHECK(cluster.host.log.has("containers remaining"));
  CHECK(cluster.host.log.has("Account a has not been reaped since "));
}

TEST_CASE_FIXTURE(Reaper, "objects of a policy that is not known stay") {
  make(1, {"c1", "c2", "c3", "c4"});
  policy = "9";
  reap(1);
  CHECK(cluster.seen(kObjectNode).empty());
  CHECK(cluster.host.log.has("ERROR: invalid storage policy index: 9"));
  CHECK(cluster.host.log.has("objects remaining"));
}

TEST_CASE_FIXTURE(Reaper, "folders that are no partition, and a damaged database, stop nothing") {
  make(1, {"c1", "c2", "c3", "c4"});
  for (const char* name : {"odd", "99999", "-1"})
    std::filesystem::create_directories(tree.path() / "srv/d1/accounts" / name);
  const std::string hash = std::string(29, 'a') + "bcd";
  tree.write("srv/d1/accounts/7/bcd/" + hash + "/" + hash + ".db", std::string(5000, 'x'));
  reap(1);
  CHECK_FALSE(deleted(kContainerNode).empty());
  CHECK(cluster.host.log.has("Exception with account database"));
}

}  // namespace
}  // namespace apus::test
