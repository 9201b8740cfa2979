// The sharder's steps over real databases; peers are as good as the test says.
#include <apus/testing/load.h>
#include <doctest/doctest.h>

#include <filesystem>
#include <utility>

#include "framework/ring/ring_file.h"
#include "framework/sharding/cleaving_context.h"
#include "plugins/container-sharder/cleaving.h"
#include "plugins/container-sharder/container_audit.h"
#include "plugins/container-sharder/misplaced_rows.h"
#include "plugins/container-sharder/scanning.h"
#include "plugins/container-sharder/sharder_options.h"
#include "tests/unit/db/store.h"

namespace apus::test {
namespace {

using S = ShardRange;

RingData three_devices() {
  RingData out;
  out.part_shift = 31;
  for (int id = 0; id < 3; ++id) {
    RingDevice device;
    device.id = id;
    device.ip = device.replication_ip = "127.0.0.1";
    device.port = device.replication_port = 6201;
    device.device = "d" + std::to_string(id + 1);
    device.weight = 1;
    out.devices.emplace_back(device);
    out.rows.push_back({static_cast<std::uint16_t>(id), static_cast<std::uint16_t>(id)});
  }
  return out;
}

struct Sharder : Store {
  explicit Sharder(const testing::OptionTexts& texts = {{"cleave_batch_size", "2"},
                                                        {"cleave_row_batch_size", "3"}})
      : settings(testing::make_options("container-sharder", kSharderOptions.data(),
                                       kSharderOptions.size(), texts),
                 host.conf),
        stats(host),
        peers(host, host.logger(Options()), {}, nullptr),
        work{host,
             host.logger(Options()),
             settings,
             stats,
             peers,
             services(),
             make_ring(three_devices()),
             [this](const S& range, int& id) {
               id = 0;
               return place("containers", host.conf.hash_path(range.account(), range.container()));
             },
             [this](const DatabasePlace& one, int) {
               replicated.push_back(one.hash);
               if (on_replicate) std::exchange(on_replicate, nullptr)();
               DatabaseReplicator::Replicated out{copies == 3, {}};
               for (int i = 0; i < 3; ++i) out.successes.push_back(i < copies);
               return out;
             },
             [](const DatabasePlace& one) { std::filesystem::remove_all(one.folder()); },
             {}} {
    host.time.set(1000);
    stats.begin();
  }

  static S range(const std::string& lower, const std::string& upper, std::int64_t state,
                 double when = 50) {
    S out;
    out.name = ".shards_a/" + lower + "-" + upper + "@" + std::to_string(static_cast<int>(when));
    out.timestamp = out.meta_timestamp = out.state_timestamp = at(when).internal();
    out.lower = lower;
    out.upper = upper;
    out.state = state;
    return out;
  }
  ContainerBroker shard(const S& of) {
    return {services(), place("containers", host.conf.hash_path(of.account(), of.container())),
            of.account(), of.container()};
  }
  // A root of `count` rows, o00 on, that is to be sharded into these.
  ContainerBroker root(int count, std::vector<S> ranges) {
    auto broker = container();
    broker.create(at(10), 0);
    std::vector<ObjectRow> rows;
    for (int i = 0; i < count; ++i)
      rows.push_back(object((i < 10 ? "o0" : "o") + std::to_string(i), 11));
    broker.merge_objects(rows);
    S own = range("", "", S::kSharding);
    own.name = "a/c";
    own.epoch = at(60).internal();
    ranges.push_back(own);
    broker.merge_shard_ranges(ranges);
    return broker;
  }
  static std::string names_of(ContainerBroker broker) {
    std::string out;
    for (const ObjectRow& row : broker.rows_between({})) out += row.name + " ";
    return out;
  }
  static std::string states_of(ContainerBroker& broker) {
    std::string out;
    for (const S& one : broker.shard_ranges())
      out += one.lower + "-" + one.upper + ":" + std::string(shard_state_name(one.state)) + " ";
    return out;
  }

  SharderSettings settings;
  SharderStats stats;
  ShardingPeers peers;
  SharderWork work;
  int copies = 3;                      ///< that take what is replicated
  std::function<void()> on_replicate;  ///< called once
  std::vector<std::string> replicated;
};

const S kFirst = Sharder::range("", "o03", S::kCreated);
const S kSecond = Sharder::range("o03", "o07", S::kCreated);
const S kThird = Sharder::range("o07", "", S::kCreated);

TEST_CASE_FIXTURE(Sharder, "rows go to their shards, two ranges a visit, and the old file goes") {
  auto broker = root(10, {kFirst, kSecond, kThird});
  REQUIRE(broker.set_sharding_state());
  CHECK_FALSE(cleave(work, broker));
  CHECK(states_of(broker) == "-o03:cleaved o03-o07:cleaved o07-:created ");
  CHECK(names_of(shard(kSecond)) == "o04 o05 o06 o07 ");
  CHECK(shard(kSecond).stored_own_range()->object_count == 4);
  CHECK(shard(kSecond).root_path() == "a/c");
  CHECK_FALSE(shard(kThird).exists());
  host.time.advance(std::chrono::seconds(1));
  CHECK(cleave(work, broker));
  CHECK(complete_sharding(work, broker));
  CHECK(broker.state() == ShardingState::kSharded);
  CHECK(states_of(broker) == "-o03:active o03-o07:active o07-:active ");
  CHECK(broker.info()->object_count == 10);
  CHECK(broker.own_shard_range().state == S::kSharded);
  CHECK_FALSE(broker.own_shard_range().deleted);
  CHECK(names_of(broker).empty());
  CHECK(cleave(work, broker));  // nothing left to do
  CHECK(audit_container(work, broker));
  CHECK(stats.to_json(-1).find("cleaved")->find("success")->integer()[0] == 3);
}

TEST_CASE_FIXTURE(Sharder, "a shard that too few took is cleaved again, without its rows twice") {
  auto broker = root(4, {kFirst, kThird});
  copies = 1;
  REQUIRE(broker.set_sharding_state());
  CHECK_FALSE(cleave(work, broker));
  CHECK(replicated.size() == 1);
  CHECK(host.log.has("1 successes, 2 required"));
  CHECK(states_of(broker).find("cleaved") == std::string::npos);
  copies = 2;
  host.time.advance(std::chrono::seconds(1));
  CHECK_FALSE(cleave(work, broker));  // a gap lies behind the first
  CHECK(host.log.has("already in sync"));
  CHECK(host.log.has("Stopped cleave at gap: 'o03' - 'o07'"));
  CHECK(names_of(shard(kFirst)) == "o00 o01 o02 o03 ");
  CHECK(states_of(broker) == "-o03:cleaved o07-:created ");
}

TEST_CASE_FIXTURE(Sharder, "rows that come meanwhile are cleaved before the old file goes") {
  auto broker = root(4, {kFirst, Sharder::range("o03", "", S::kCreated)});
  REQUIRE(broker.set_sharding_state());
  on_replicate = [&] {
    auto old = broker.oldest();
    old.merge_objects({object("o00x", 12)});
  };
  CHECK(cleave(work, broker));
  CHECK_FALSE(complete_sharding(work, broker));
  CHECK(host.log.has("Repeat cleaving required"));
  CHECK(names_of(shard(kFirst)) == "o00 o01 o02 o03 ");
  host.time.advance(std::chrono::seconds(1));
  CHECK(cleave(work, broker));
  CHECK(complete_sharding(work, broker));
  CHECK(names_of(shard(kFirst)) == "o00 o00x o01 o02 o03 ");
}

TEST_CASE_FIXTURE(Sharder, "an empty range leaves no database behind") {
  auto broker = root(2, {kFirst, kSecond, kThird});
  REQUIRE(broker.set_sharding_state());
  CHECK(cleave(work, broker));
  CHECK(replicated.size() == 1);
  CHECK_FALSE(shard(kSecond).exists());
  CHECK(states_of(broker) == "-o03:cleaved o03-o07:cleaved o07-:cleaved ");
}

TEST_CASE_FIXTURE(Sharder, "what is not ready stops the cleaving") {
  auto broker = root(6, {Sharder::range("", "o03", S::kFound), kSecond, kThird});
  REQUIRE(broker.set_sharding_state());
  CHECK_FALSE(cleave(work, broker));
  CHECK(host.log.has("Stopped cleave at unready"));
  CHECK(replicated.empty());
  CHECK(names_of(broker.oldest()) == "o00 o01 o02 o03 o04 o05 ");
}

TEST_CASE_FIXTURE(Sharder, "rows of a sharded root go to shards and away from here") {
  auto broker = root(0, {kFirst, kSecond, kThird});
  REQUIRE(broker.set_sharding_state());
  REQUIRE(cleave(work, broker));
  REQUIRE(complete_sharding(work, broker));
  replicated.clear();
  broker.merge_objects(
      {object("o01", 20), object("o05", 20), object("o06", 20), object("o09", 20)});
  copies = 1;
  CHECK_FALSE(move_misplaced_rows(work, broker));
  CHECK(names_of(broker) == "o01 o05 o06 o09 ");  // too few copies: they stay
  CHECK(host.log.has("(not removing)"));
  copies = 2;
  on_replicate = [&] { broker.merge_objects({object("o05x", 21)}); };
  CHECK(move_misplaced_rows(work, broker));
  CHECK(names_of(broker) == "o05x ");  // it came later
  CHECK(names_of(shard(kSecond)) == "o05 o06 ");
  CHECK(names_of(shard(kThird)) == "o09 ");
}

TEST_CASE_FIXTURE(Sharder, "only what was copied is removed, ranges may overlap as they like") {
  S wide = Sharder::range("", "", S::kActive, 51);
  auto broker = root(0, {kSecond, wide});
  S own = broker.own_shard_range();
  own.state = S::kSharded;
  broker.merge_shard_ranges({own});
  REQUIRE(broker.set_sharding_state());
  REQUIRE(broker.set_sharded_state(-1));
  broker.merge_objects({object("o01", 20), object("o05", 20), object("o09", 20)});
  CHECK(move_misplaced_rows(work, broker));
  CHECK(names_of(broker).empty());
  CHECK(names_of(shard(kSecond)) == "o05 ");
  CHECK(names_of(shard(wide)) == "o01 o09 ");
}

TEST_CASE_FIXTURE(Sharder, "rows without a shard stay, and are told") {
  auto broker = root(0, {kFirst, kThird});
  S own = broker.own_shard_range();
  own.state = S::kSharded;
  broker.merge_shard_ranges({own});
  REQUIRE(broker.set_sharding_state());
  REQUIRE(broker.set_sharded_state(-1));
  broker.merge_objects({object("o01", 20), object("o05", 20)});
  CHECK_FALSE(move_misplaced_rows(work, broker));
  CHECK(names_of(broker) == "o05 ");
  CHECK(host.log.has("Failed to find destination for at least 1 misplaced objects"));
  CHECK_FALSE(audit_container(work, broker));
  CHECK(host.log.has("missing range(s): o03-o07"));
}

TEST_CASE("a leader finds bounds in batches, each behind the one before") {
  Sharder sharder({{"shard_scanner_batch_size", "2"},
                   {"shard_container_threshold", "8"},
                   {"rows_per_shard", "3"},
                   {"minimum_shard_size", "1"},
                   {"shrink_threshold", "1"},
                   {"expansion_limit", "7"}});
  auto broker = sharder.root(8, {});
  CHECK(find_shard_ranges(sharder.work, broker) == 2);
  CHECK(Sharder::states_of(broker) == "-o02:found o02-o05:found ");
  CHECK(audit_container(sharder.work, broker));  // the end is still to come
  CHECK(find_shard_ranges(sharder.work, broker) == 1);
  CHECK(Sharder::states_of(broker) == "-o02:found o02-o05:found o05-:found ");
  CHECK(find_shard_ranges(sharder.work, broker) == 0);
  CHECK_THROWS(Sharder(testing::OptionTexts{{"rows_per_shard", "2000000"}}));
  CHECK_THROWS(Sharder(testing::OptionTexts{{"shard_replication_quorum", "many"}}));
}

TEST_CASE_FIXTURE(Sharder, "of two leaders' bounds one sequence stays") {
  auto broker =
      root(8, {Sharder::range("", "o03", S::kFound, 50), Sharder::range("o03", "", S::kFound, 50),
               Sharder::range("", "o04", S::kFound, 51)});
  take_back_rivals(work, broker);
  CHECK(states_of(broker) == "-o03:found o03-:found ");
  CHECK(host.log.has("Took back 1 found shard ranges"));
  host.log.clear();
  take_back_rivals(work, broker);
  CHECK_FALSE(host.log.has("Took back"));
}

TEST_CASE_FIXTURE(Sharder, "bounds whose containers are made win over found ones") {
  auto broker =
      root(8, {Sharder::range("", "o04", S::kCreated, 51), Sharder::range("o04", "", S::kFound, 51),
               Sharder::range("", "o03", S::kFound, 50), Sharder::range("o03", "", S::kFound, 50)});
  take_back_rivals(work, broker);
  CHECK(states_of(broker) == "-o04:created o04-:found ");
  CHECK(audit_container(work, broker));
}

TEST_CASE_FIXTURE(Sharder, "quorums") {
  CHECK(quorum_of(3) == 2);
  CHECK(quorum_of(2) == 1);
  CHECK(quorum_of(4) == 2);
  CHECK(quorum_of(3.5) == 2);
  CHECK(settings.quorum_of_new(3) == 2);
  Sharder more({{"shard_replication_quorum", "9"}, {"existing_shard_replication_quorum", "1"}});
  CHECK(more.settings.quorum_of_new(3) == 3);
  CHECK(more.settings.quorum_of_existing(3) == 1);
}

}  // namespace
}  // namespace apus::test
