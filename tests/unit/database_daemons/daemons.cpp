// Pace, walks, children, and the daemons that only look, through their shared objects.
#include <apus/testing/host.h>
#include <apus/testing/load.h>
#include <apus/testing/temp_tree.h>
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "framework/backend/child_process.h"
#include "framework/backend/database_walk.h"
#include "framework/backend/pace.h"
#include "framework/store/db/account_broker.h"
#include "framework/store/db/container_broker.h"

namespace apus::test {
namespace {

TEST_CASE("a pace spreads steps, and a stop is seen at once") {
  testing::TestHost host;
  Pace pace(host.clock(), 10);
  std::stop_source stop;
  for (int i = 0; i < 11; ++i) pace.wait(stop.get_token());
  CHECK(host.time.slept() == std::chrono::seconds(1));
  stop.request_stop();
  for (int i = 0; i < 100; ++i) pace.wait(stop.get_token());
  CHECK(host.time.slept() == std::chrono::seconds(1));
  Pace unbound(host.clock(), 0);
  unbound.wait(std::stop_token());
  CHECK(host.time.slept() == std::chrono::seconds(1));
}

TEST_CASE("children: output, status, no such program, too slow") {
  const ChildResult echo =
      run_child({"sh", "-c", "echo out; echo err >&2"}, std::chrono::seconds(20));
  CHECK(echo.good);
  CHECK(echo.output == "out\nerr\n");
  CHECK_FALSE(run_child({"false"}, std::chrono::seconds(20)).good);
  const ChildResult none = run_child({"/no/such/program"}, std::chrono::seconds(20));
  CHECK_FALSE(none.good);
  CHECK(none.output.find("/no/such/program") != std::string::npos);
  const ChildResult slow = run_child({"sleep", "60"}, std::chrono::milliseconds(50));
  CHECK_FALSE(slow.good);
  CHECK(slow.output.find("too long") != std::string::npos);
  std::stop_source stop;
  stop.request_stop();
  const ChildResult stopped =
      run_child({"sleep", "60"}, std::chrono::seconds(60), stop.get_token());
  CHECK_FALSE(stopped.good);
  CHECK(stopped.output.find("a stop was requested") != std::string::npos);
  CHECK(run_child({"sh", "-c", "yes | head -c 200000"}, std::chrono::seconds(20)).output.size() ==
        65536);
}

TEST_CASE("rsync modules are filled in for a device") {
  RingDevice device;
  device.ip = "fe80::1";
  device.replication_ip = "10.0.0.1";
  device.replication_port = 6201;
  device.device = "sda";
  CHECK(rsync_module_for("{replication_ip}::container", device) == "10.0.0.1::container");
  CHECK(rsync_module_for("rsync://{ip}/{device}_{replication_port}//", device) ==
        "rsync://[fe80::1]/sda_6201");
  CHECK(rsync_module_for("{nonsense}{", device) == "{nonsense}{");
}

TEST_CASE("a folder is no rsync daemon") {
  CHECK(is_rsync_daemon("10.0.0.1::container/sda/tmp/id"));
  CHECK(is_rsync_daemon("[fe80::1]::container/sda"));
  CHECK(is_rsync_daemon("rsync://[fe80::1]/sda_6201/tmp/id"));
  CHECK_FALSE(is_rsync_daemon("/srv/devices/sda/tmp/id"));
  CHECK_FALSE(is_rsync_daemon("/srv/odd::name/sda/tmp/id"));
  CHECK_FALSE(is_rsync_daemon(""));
}

struct Stores {
  Stores() { std::filesystem::create_directories(tree.path() / "d1"); }
  BrokerServices services() {
    return {host.disk(), host.clock(),         host.entropy(), host.logger(Options()),
            pool,        host.conf.constraints};
  }
  DatabasePlace place(const std::string& directory, const std::string& hash) {
    return {(tree.path() / "d1").string(), directory, "3", hash};
  }
  testing::OptionTexts options() {
    return {{"devices", tree.path().string()}, {"mount_check", "false"}};
  }
  testing::TestHost host;
  testing::TempTree tree;
  DatabasePool pool;
};

TEST_CASE_FIXTURE(Stores, "a walk finds databases and nothing else") {
  const std::string hash = host.conf.hash_path("a", "c");
  ContainerBroker(services(), place("containers", hash), "a", "c")
      .create(Timestamp::from_seconds(1), 0);
  const std::string other = std::string(29, 'a') + "bcd";
  std::filesystem::create_directories(tree.path() / "d1/containers/3/bcd" / other);
  tree.write("d1/containers/3/bcd/" + other + "/.lock", "");
  tree.write("d1/containers/odd", "a file");
  tree.write("d1/containers/3/xyz/not-a-hash/x.db", "");
  std::vector<std::string> found;
  const Devices devices(tree.path().string(), false);
  for (const auto& partition : database_partitions(host, host.logger(Options()),
                                                   tree.path().string(), devices, "containers")) {
    visit_databases(host.disk(), partition, [&](const DatabasePlace& one) {
      found.push_back(one.hash);
      return true;
    });
  }
  CHECK(found == std::vector<std::string>{hash});
}

TEST_CASE_FIXTURE(Stores, "auditors pass what is whole and tell what is not") {
  const std::string hash = host.conf.hash_path("a");
  AccountBroker broker(services(), place("accounts", hash), "a");
  broker.create(Timestamp::from_seconds(1));
  broker.put_container({"c", "0000000002.00000", "0", 3, 4, false, 0});
  const auto auditor = testing::load_daemon("account-auditor", options(), host);
  auditor->run_once({});
  CHECK(host.numbers.counter("passes") == 1);
  Database(broker.file()).run("UPDATE policy_stat SET object_count = 99");
  auditor->run_once({});
  CHECK(host.numbers.counter("failures") == 1);
  CHECK(host.log.has("do not match the sums across its policies"));
  const std::string container_hash = host.conf.hash_path("a", "c");
  ContainerBroker container(services(), place("containers", container_hash), "a", "c");
  container.create(Timestamp::from_seconds(1), 0);
  std::ofstream(container.file(), std::ios::binary) << std::string(5000, 'x');
  const auto second = testing::load_daemon("container-auditor", options(), host);
  second->run_once({});
  CHECK(host.numbers.counter("failures") == 2);
  CHECK(std::filesystem::exists(tree.path() / "d1/quarantined/containers" / container_hash));
}

}  // namespace
}  // namespace apus::test
