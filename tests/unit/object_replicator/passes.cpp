// Passes over a small cluster: what is brought where, what goes, and what is told.
#include <apus/json.h>

#include "framework/store/object/partition.h"
#include "tests/unit/object_replicator/cluster.h"

namespace apus::test {
namespace {

using Names = std::vector<std::string>;

TEST_CASE("what a primary has reaches the others, once") {
  Cluster cluster(3, 4);
  for (const char* name : {"one", "two"}) cluster.put(0, name);
  cluster.put(1, "two");
  cluster.put(2, "three");
  cluster.pass(0);
  for (const std::size_t node : {1U, 2U}) {
    CHECK(cluster.files(node, "one") == kFirst);
    CHECK(cluster.files(node, "two") == kFirst);
  }
  CHECK(cluster.files(0, "three").empty());  // its owner's replicator brings it
  CHECK(cluster.files(3, "one").empty());
  CHECK(cluster.host.log.has("1/1 (100.00%) partitions replicated in "));
  CHECK(cluster.host.log.has("2 successes, 0 failures"));
  cluster.host.log.clear();
  cluster.pass(0);
  CHECK(cluster.host.log.has(" 0.00% synced"));
}

TEST_CASE("several partitions at once") {
  Cluster cluster(2, 3);
  for (int i = 0; i < 16; ++i) {
    for (const char* name : {"one", "two"}) {
      cluster.put(0, name + std::to_string(i), 1, std::to_string(i));
      cluster.put(2, name + std::to_string(i), 2, std::to_string(i));
    }
  }
  // An object server takes four at once, one of a device.
  cluster.pass(2, {{"concurrency", "4"}, {"replicator_workers", "2"}});
  for (int pass = 0; pass < 40 && !cluster.host.log.has("16 successes, 0 failures"); ++pass)
    cluster.pass(0, {{"concurrency", "4"}});
  for (int i = 0; i < 8; ++i)
    CHECK(cluster.files(1, "one" + std::to_string(i), std::to_string(i)).size() == 1);
  CHECK(cluster.host.numbers.counter("partition.update.count.d0") >= 8);
}

TEST_CASE("recon's numbers have Swift's names") {
  Cluster cluster(2, 2);
  cluster.put(0, "one");
  cluster.pass(0, {{"replicator_workers", "1"}});
  const auto recon = Json::parse(cluster.tree.read("object.recon"));
  REQUIRE(recon);
  for (const char* name : {"replication_time", "replication_last", "object_replication_time",
                           "object_replication_last"}) {
    CHECK_MESSAGE(recon->find(name)->number(), name);
  }
  const Json& stats = *recon->find("replication_stats");
  for (const char* name : {"attempted", "rsync", "success", "suffix_count", "suffix_sync"})
    CHECK_MESSAGE(*stats.find(name)->integer() == 1, name);
  for (const char* name : {"failure", "hashmatch", "remove"})
    CHECK_MESSAGE(*stats.find(name)->integer() == 0, name);
  CHECK(stats.find("failure_nodes") == nullptr);  // an empty one is left out
  CHECK(recon->find("object_replication_per_disk")->find("d0")->find("replication_stats") !=
        nullptr);
  // A part of the work is not told.
  fs::remove(cluster.tree.path() / "object.recon");
  cluster.pass(0, {{"override_devices", "d0"}});
  CHECK_FALSE(fs::exists(cluster.tree.path() / "object.recon"));
}

TEST_CASE("while a pass goes on its progress is told") {
  Cluster cluster(2, 2);
  cluster.put(0, "one", 1, "3");
  cluster.put(0, "two", 1, "4");
  std::optional<Json> seen;
  cluster.before_ssync = [&] {
    if (fs::exists(cluster.tree.path() / "object.recon"))
      seen = Json::parse(cluster.tree.read("object.recon"));
    cluster.host.time.sleep(std::chrono::seconds(10));
  };
  cluster.pass(0, {{"stats_interval", "5"}});
  REQUIRE(seen);
  const Json* progress = seen->find("object_replication_progress");
  REQUIRE(progress != nullptr);
  CHECK(*progress->find("done")->integer() == 1);
  CHECK(*progress->find("total")->integer() == 2);
  CHECK(progress->find("rate")->number() == 0.1);
  CHECK(progress->find("eta")->number() == 10.0);
  CHECK(cluster.host.log.has("1/2 (50.00%) partitions replicated in 10.00s (0.10/sec, 10s"));
  CHECK(Json::parse(cluster.tree.read("object.recon"))->find("object_replication_progress") ==
        nullptr);
}

TEST_CASE("a handoff stands in for a device that is away") {
  Cluster cluster(3, 4);
  cluster.put(0, "one");
  fs::remove_all(cluster.device(1));
  cluster.pass(0);
  CHECK(cluster.files(2, "one") == kFirst);
  CHECK(cluster.files(3, "one") == kFirst);
  CHECK(cluster.host.log.has("10.0.0.1/d1 responded as unmounted"));
  CHECK(cluster.host.log.has("2 successes, 1 failures"));
  const auto recon = Json::parse(cluster.tree.read("object.recon"));
  CHECK(*recon->find("replication_stats")
             ->find("failure_nodes")
             ->find("10.0.0.1")
             ->find("d1")
             ->integer() == 1);
  Cluster small(2, 2);
  small.put(0, "one");
  fs::remove_all(small.device(1));
  small.pass(0);
  CHECK(small.host.log.has("Ran out of handoffs while replicating partition 7 of policy 0"));
}

TEST_CASE("a handoff comes home and goes") {
  Cluster cluster(2, 3);
  cluster.put(2, "one");
  cluster.put(2, "two", 1, "3");
  cluster.put(1, "two", 5, "3");
  cluster.pass(2);
  for (const std::size_t node : {0U, 1U}) CHECK(cluster.files(node, "one") == kFirst);
  CHECK(cluster.files(0, "two", "3") == kFirst);
  CHECK(cluster.files(1, "two", "3") == Names{"1699999005.00000.data"});
  CHECK(fs::is_empty(cluster.device(2) / "objects"));
  CHECK(cluster.host.log.has("Removing partition: "));
}

TEST_CASE("what was written to a handoff meanwhile stays") {
  Cluster cluster(1, 2);
  cluster.put(1, "old");
  cluster.put(1, "renewed", 1);
  cluster.before_ssync = [&] {
    cluster.put(1, "late", 2);
    cluster.put(1, "renewed", 3);
  };
  cluster.pass(1);
  CHECK(cluster.files(0, "old") == kFirst);
  CHECK(cluster.files(1, "old").empty());
  CHECK(cluster.files(1, "late") == Names{"1699999002.00000.data"});
  CHECK(cluster.files(1, "renewed") == Names{"1699999003.00000.data"});
  cluster.before_ssync = nullptr;
  cluster.pass(1);
  CHECK(cluster.files(0, "late") == Names{"1699999002.00000.data"});
  CHECK(cluster.files(0, "renewed") == Names{"1699999003.00000.data"});
  CHECK(fs::is_empty(cluster.device(1) / "objects"));
}

TEST_CASE("a handoff stays until all have it, or handoff_delete of them") {
  Cluster cluster(3, 4);
  cluster.put(3, "one");
  fs::remove_all(cluster.device(1));
  cluster.pass(3);
  CHECK(cluster.files(0, "one") == kFirst);
  CHECK(cluster.files(3, "one") == kFirst);
  CHECK(cluster.host.log.has("10.0.0.1:6200/d1/7 Expected status 200; got 507 ("));
  cluster.pass(3, {{"handoff_delete", "2"}});
  CHECK(cluster.files(3, "one").empty());
}

TEST_CASE("an object that cannot be read here is not given up") {
  Cluster cluster(1, 2);
  cluster.put(1, "good");
  cluster.put(1, "bad");
  const std::string hash = cluster.host.conf.hash_path("a", "c", "bad");
  const fs::path file =
      cluster.device(1) / "objects/7" / hash.substr(29) / hash / "1699999001.00000.data";
  fs::resize_file(file, 2);  // not what its metadata says
  cluster.pass(1);
  CHECK(cluster.files(0, "good") == kFirst);
  CHECK(cluster.files(0, "bad").empty());
  CHECK(fs::exists(cluster.device(1) / "quarantined/objects" / hash));
}

TEST_CASE("objects go when every other region has them") {
  Cluster cluster(3, 4, {1, 2, 2, 1});
  cluster.put(3, "one");
  cluster.pass(3);
  // The second device of a region is only asked: what it lacks is its neighbour's to bring.
  CHECK(cluster.files(0, "one") == kFirst);
  CHECK(cluster.files(1, "one") == kFirst);
  CHECK(cluster.files(2, "one").empty());
  CHECK(cluster.files(3, "one") == kFirst);
  cluster.pass(1);
  CHECK(cluster.files(2, "one") == kFirst);
  cluster.pass(3);
  CHECK(cluster.files(3, "one").empty());
  CHECK(cluster.host.log.has("Removing 1 objects"));
}

TEST_CASE("one device of another region is enough in a pass") {
  Cluster cluster(3, 3, {1, 2, 2});
  cluster.put(0, "one");
  cluster.pass(0);
  CHECK(cluster.files(1, "one").size() + cluster.files(2, "one").size() == 1);
}

TEST_CASE("a partition that another replicates is left for the next pass") {
  Cluster cluster(1, 2);
  cluster.put(1, "one");
  {
    const Fd held = lock_folder(real_disk(), (cluster.device(1) / "objects/7").string(),
                                std::chrono::milliseconds(0), "replication");
    REQUIRE(held);
    cluster.pass(1);
  }
  CHECK(cluster.files(1, "one") == kFirst);
  CHECK(cluster.host.log.has("Unable to lock handoff partition 7"));
  CHECK(cluster.host.numbers.counter("partition.lock-failure.count") == 1);
  cluster.pass(1);
  CHECK(cluster.files(1, "one").empty());
}

TEST_CASE("handoffs first: nothing else while one is left") {
  Cluster cluster(2, 3);
  cluster.put(2, "handoff", 1, "7");
  cluster.put(2, "primary", 1, "9");
  fs::rename(cluster.device(0), cluster.tree.path() / "away");
  cluster.pass(2, {{"handoffs_first", "true"}});
  CHECK(cluster.host.log.has("Handoff only mode is not intended for normal operation"));
  CHECK(cluster.host.log.has("Handoffs first mode still has handoffs remaining."));
  CHECK(cluster.files(1, "handoff") == kFirst);
  CHECK(cluster.files(1, "primary", "9").empty());
  fs::rename(cluster.tree.path() / "away", cluster.device(0));
  cluster.pass(2, {{"handoffs_first", "true"}});
  CHECK(cluster.files(2, "handoff").empty());
  CHECK(cluster.files(1, "primary", "9") == kFirst);
}

}  // namespace
}  // namespace apus::test
