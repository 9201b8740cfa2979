// What a pass is bound to, what it passes over, and what goes wrong.
#include <fstream>

#include "tests/unit/object_replicator/cluster.h"

namespace apus::test {
namespace {

TEST_CASE("devices, partitions and policies may be chosen") {
  Cluster cluster(2, 2);
  cluster.put(0, "one", 1, "3");
  cluster.put(0, "two", 1, "4");
  cluster.pass(0, {{"override_devices", "other"}});
  cluster.pass(0, {{"override_policies", "5,6"}});
  CHECK(cluster.files(1, "one", "3").empty());
  cluster.pass(0, {{"override_partitions", "3,9"}});
  CHECK(cluster.files(1, "one", "3") == kFirst);
  CHECK(cluster.files(1, "two", "4").empty());
  cluster.pass(0, {{"override_devices", "d0"}, {"override_policies", "0"}});
  CHECK(cluster.files(1, "two", "4") == kFirst);
  CHECK_THROWS(cluster.pass(0, {{"override_partitions", "all"}}));
}

TEST_CASE("a ring whose partition power is being raised is passed over") {
  Cluster cluster(2, 2);
  cluster.put(0, "one");
  cluster.ring->next = 5;
  cluster.pass(0);
  CHECK(cluster.files(1, "one").empty());
  CHECK(cluster.host.log.has("next_part_power set in policy 'Policy-0'. Skipping"));
}

TEST_CASE("what is no partition stays, a file in the place of one goes") {
  Cluster cluster(2, 2);
  cluster.put(0, "one");
  const fs::path folder = cluster.device(0) / "objects";
  fs::create_directories(folder / "99/abc");
  fs::create_directories(folder / "odd");
  std::ofstream(folder / "auditor_status_ALL.json") << "{}";
  std::ofstream(folder / "8") << "";
  cluster.pass(0);
  CHECK(cluster.files(1, "one") == kFirst);
  for (const char* name : {"99/abc", "odd", "auditor_status_ALL.json"})
    CHECK_MESSAGE(fs::exists(folder / name), name);
  CHECK_FALSE(fs::exists(folder / "8"));
  CHECK(cluster.host.log.has("/objects/99 is no partition of the ring"));
}

TEST_CASE("empty partitions: a handoff goes, a primary stays") {
  Cluster cluster(1, 2);
  fs::create_directories(cluster.device(1) / "objects/7");
  fs::create_directories(cluster.device(0) / "objects/7");
  cluster.pass(1);
  cluster.pass(0);
  CHECK_FALSE(fs::exists(cluster.device(1) / "objects/7"));
  CHECK(fs::exists(cluster.device(0) / "objects/7"));
}

TEST_CASE("rubbish among objects does not hold a handoff") {
  Cluster cluster(1, 2);
  cluster.put(1, "one");
  const fs::path partition = cluster.device(1) / "objects/7";
  const std::string hash = cluster.host.conf.hash_path("a", "c", "one");
  std::ofstream(partition / hash.substr(29) / hash / "what is this") << "x";
  std::ofstream(partition / hash.substr(29) / "a file") << "x";
  fs::create_directories(partition / "abc" / std::string(32, 'a'));
  std::ofstream(partition / "tmpabc.tmp") << "x";
  cluster.pass(1);
  CHECK(cluster.files(0, "one") == kFirst);
  CHECK_FALSE(fs::exists(partition));
  // What rsync is still writing here belongs to another's work.
  cluster.put(1, "two");
  const std::string other = cluster.host.conf.hash_path("a", "c", "two");
  const fs::path coming = partition / other.substr(29) / other / ".1699999005.00000.data.a1B2c3";
  std::ofstream(coming) << "x";
  cluster.pass(1);
  CHECK(fs::exists(coming));
  CHECK(cluster.files(1, "two").size() == 1);
}

TEST_CASE("old temporary files go, young ones stay") {
  Cluster cluster(2, 2);
  fs::create_directories(cluster.device(0) / "tmp");
  std::ofstream(cluster.device(0) / "tmp/old") << "x";
  std::ofstream(cluster.device(0) / "tmp/young") << "x";
  cluster.host.time.set(1'700'000'000);
  const auto seconds_ago = [](int count) {
    return fs::file_time_type(std::chrono::file_clock::from_sys(
        std::chrono::sys_seconds(std::chrono::seconds(1'700'000'000 - count))));
  };
  fs::last_write_time(cluster.device(0) / "tmp/old", seconds_ago(700'000));
  fs::last_write_time(cluster.device(0) / "tmp/young", seconds_ago(500'000));
  cluster.pass(0);
  CHECK_FALSE(fs::exists(cluster.device(0) / "tmp/old"));
  CHECK(fs::exists(cluster.device(0) / "tmp/young"));
}

TEST_CASE("a device that is not mounted, a machine that no ring names") {
  Cluster cluster(2, 2);
  cluster.put(1, "one");
  cluster.pass(1, {{"mount_check", "true"}});
  CHECK(cluster.host.log.has("d1 is not mounted"));
  CHECK(cluster.files(0, "one").empty());
  cluster.pass(1, {{"bind_ip", "10.9.9.9"}});
  CHECK(
      cluster.host.log.has("Can't find itself in policy with index 0 with ips 10.9.9.9 and with "
                           "port 6200 in ring file, not replicating"));
  cluster.pass(1, {{"bind_port", "7000"}});
  CHECK(cluster.files(0, "one").empty());
  cluster.pass(1, {{"bind_port", "7000"}, {"servers_per_port", "2"}});
  CHECK(cluster.files(0, "one") == kFirst);
}

TEST_CASE("a server that is away, or says nonsense, is one failure") {
  Cluster cluster(2, 3);
  cluster.put(0, "one");
  class Nonsense final : public App {
   public:
    Response operator()(Request& /*request*/) const override { return Response(200, "no pickle"); }
  };
  const Nonsense nonsense;
  cluster.transport.add({"10.0.0.1", 6200}, nonsense);
  cluster.pass(0);
  CHECK(cluster.host.log.has("Invalid hashes from 10.0.0.1:6200/d1"));
  CHECK(cluster.host.log.has("0 successes, 1 failures"));
  CHECK(cluster.files(2, "one").empty());  // it is there: nobody stands in
}

TEST_CASE("rsync that cannot connect is a failure, and a handoff stays") {
  Cluster cluster(1, 2);
  cluster.put(1, "one");
  cluster.pass(1, {{"sync_method", "rsync"}, {"rsync_module", "rsync://127.0.0.1:1/object"}});
  CHECK(cluster.host.log.has("Bad rsync return code: rsync --recursive --whole-file"));
  CHECK(cluster.host.log.has("rsync://127.0.0.1:1/object/d0/objects/7"));
  CHECK(cluster.files(1, "one") == kFirst);
  cluster.host.log.clear();
  cluster.pass(1, {{"sync_method", "rsync"},
                   {"rsync_module", "rsync://127.0.0.1:1/object"},
                   {"rsync_error_log_line_length", "20"}});
  CHECK(cluster.host.log.has("Bad rsync return cod"));
  CHECK_FALSE(cluster.host.log.has("Bad rsync return code"));
}

TEST_CASE("a way to travel that is none is refused") {
  Cluster cluster(2, 2);
  CHECK_THROWS_WITH(cluster.pass(0, {{"sync_method", "pigeon"}}),
                    "sync_method: 'pigeon': expected rsync or ssync");
}

TEST_CASE("a requested stop ends a pass") {
  Cluster cluster(2, 2);
  cluster.put(0, "one");
  std::stop_source stop;
  stop.request_stop();
  testing::OptionTexts options = cluster.paths(0);
  options.emplace("bind_ip", "10.0.0.0");
  options.emplace("sync_method", "ssync");
  testing::load_daemon("object-replicator", options, cluster.host)->run_once(stop.get_token());
  CHECK(cluster.files(1, "one").empty());
}

}  // namespace
}  // namespace apus::test
