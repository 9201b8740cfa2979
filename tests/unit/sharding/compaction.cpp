// Which shards may go into a neighbor, and which containers are large enough to be sharded.
#include "framework/sharding/compaction.h"

#include <apus/testing/load.h>
#include <doctest/doctest.h>

#include "framework/sharding/shard_plan.h"
#include "framework/sharding/sharding_limits.h"
#include "tests/unit/db/store.h"

namespace apus::test {
namespace {

using S = ShardRange;

// A sharded root with ranges of so many rows each: "5 90 3s" = active, active, shrinking.
struct Root : Store {
  ContainerBroker make(const std::vector<std::pair<std::int64_t, std::int64_t>>& shards) {
    auto broker = container();
    S own;
    own.name = "a/c";
    own.timestamp = own.meta_timestamp = own.state_timestamp = own.epoch = at(60).internal();
    own.state = S::kSharded;
    broker.create(at(10), 0, own.epoch);
    std::vector<S> ranges = {own};
    std::string lower;
    for (std::size_t i = 0; i < shards.size(); ++i) {
      S one;
      one.name = ".shards_a/" + std::to_string(i);
      one.timestamp = one.meta_timestamp = one.state_timestamp = at(50).internal();
      one.lower = lower;
      lower = i + 1 == shards.size() ? "" : std::string(1, static_cast<char>('b' + i));
      one.upper = lower;
      one.object_count = shards[i].first;
      one.state = shards[i].second;
      ranges.push_back(std::move(one));
    }
    broker.merge_shard_ranges(ranges);
    REQUIRE(broker.state() == ShardingState::kSharded);
    return broker;
  }
};

std::string shown(const std::vector<ShardSequence>& sequences) {
  std::string out;
  for (const ShardSequence& sequence : sequences) {
    for (const S& one : sequence) out += one.container() + " ";
    out += "| ";
  }
  return out;
}

TEST_CASE_FIXTURE(Root, "small neighbors become one") {
  auto broker =
      make({{5, S::kActive}, {90, S::kActive}, {3, S::kActive}, {4, S::kActive}, {50, S::kActive}});
  CHECK(shown(find_compactible_sequences(broker, {10, 95, 1, -1})) == "0 1 | 2 3 | ");
  CHECK(shown(find_compactible_sequences(broker, {10, 95, 1, 1})) == "0 1 | ");
  CHECK(shown(find_compactible_sequences(broker, {10, 95, 5, -1})) == "0 1 | 2 3 4 | ");
  CHECK(shown(find_compactible_sequences(broker, {10, 94, 5, -1})) == "2 3 4 | ");
  CHECK(find_compactible_sequences(broker, {3, 95, 5, -1}).empty());
}

TEST_CASE_FIXTURE(Root, "a last shard has nobody behind it; all together go to the root") {
  auto some = make({{90, S::kActive}, {5, S::kActive}});
  CHECK(find_compactible_sequences(some, {10, 95, 1, -1}).empty());
  Root other;
  auto all = other.make({{2, S::kActive}, {3, S::kActive}});
  CHECK(shown(find_compactible_sequences(all, {10, 95, 5, -1})) == "0 1 c | ");
  CHECK(shown(find_compactible_sequences(all, {10, 95, 1, -1})) == "0 1 | ");
}

TEST_CASE_FIXTURE(Root, "what is on its way counts, and is shown when asked for") {
  auto broker = make({{5, S::kShrinking}, {20, S::kActive}, {3, S::kActive}, {30, S::kActive}});
  CHECK(shown(find_compactible_sequences(broker, {10, 95, 1, -1})) == "2 3 | ");
  CHECK(shown(find_compactible_sequences(broker, {10, 95, 1, -1}, true)) == "0 1 | 2 3 | ");
  CHECK(find_compactible_sequences(broker, {10, 95, 1, 1}).empty());
  Root other;
  auto created = other.make({{5, S::kActive}, {20, S::kCreated}, {30, S::kActive}});
  CHECK(find_compactible_sequences(created, {10, 95, 1, -1}).empty());
}

TEST_CASE_FIXTURE(Root, "donors shrink into an acceptor that spans them") {
  auto broker = make({{5, S::kActive}, {6, S::kActive}, {60, S::kActive}});
  auto sequences = find_compactible_sequences(broker, {10, 95, 5, -1});
  REQUIRE(shown(sequences) == "0 1 2 | ");
  store_compactions(broker, sequences, at(100));
  const auto ranges = broker.shard_ranges();
  REQUIRE(ranges.size() == 3);
  for (const S& one : ranges) {
    if (one.container() == "2") {
      CHECK(one.lower.empty());
      CHECK(one.timestamp == at(100).internal());
      CHECK(one.state == S::kActive);
    } else {
      CHECK(one.state == S::kShrinking);
      CHECK(one.epoch == at(100).internal());
      CHECK(one.state_timestamp == at(100).internal());
      CHECK(one.timestamp == at(50).internal());
    }
  }
  // Into the root: it is active again.
  Root other;
  auto small = other.make({{2, S::kActive}, {3, S::kActive}});
  auto all = find_compactible_sequences(small, {10, 95, 5, -1});
  store_compactions(small, all, at(100));
  CHECK(small.own_shard_range().state == S::kActive);
  CHECK(small.own_shard_range().state_timestamp == at(100).internal());
}

TEST_CASE("shards have names of Swift's form") {
  Store store;
  auto broker = store.container();
  broker.create(at(10), 0);
  const auto ranges =
      make_shard_ranges(broker, {{0, "", "m", 4}, {1, "m", "", 5}}, ".shards_", at(1234.5));
  REQUIRE(ranges.size() == 2);
  // MD5 of "c"
  CHECK(ranges[1].name == ".shards_a/c-4a8a08f09d37b73795649038408b5f33-0000001234.50000-1");
  CHECK(ranges[1].lower == "m");
  CHECK(ranges[0].object_count == 4);
  CHECK(ranges[0].state == S::kFound);
  CHECK_FALSE(sharding_enabled(broker));
  broker.merge_shard_ranges(ranges);
  CHECK(sharding_enabled(broker));
  // A shard's shards carry the root's name, and the digest of their parent's.
  broker.set_sharding_sysmeta("Quoted-Root", "b/r%20t");
  CHECK(broker.root_path() == "b/r t");
  CHECK_FALSE(broker.is_root());
  CHECK(make_shard_ranges(broker, {{0, "", "", 1}}, ".shards_", at(1))[0].name ==
        ".shards_b/r t-4a8a08f09d37b73795649038408b5f33-0000000001.00000-0");
}

TEST_CASE("only active ranges of enough objects begin to shard") {
  S large;
  large.name = "a/l";
  large.state = S::kActive;
  large.object_count = 100;
  large.reported = true;
  S small = large;
  small.object_count = 99;
  S created = large;
  created.state = S::kCreated;
  const auto begun = begin_sharding({large, small, created}, 100, at(70));
  REQUIRE(begun.size() == 1);
  CHECK(begun[0].state == S::kSharding);
  CHECK(begun[0].epoch == at(70).internal());
  CHECK(begun[0].state_timestamp == at(70).internal());
  CHECK_FALSE(begun[0].reported);
}

ShardingLimits limits(const testing::OptionTexts& texts) {
  return ShardingLimits(testing::make_options("container-sharder", kShardingLimits.data(),
                                              kShardingLimits.size(), texts));
}

TEST_CASE("sizes follow from the threshold, and must fit together") {
  const ShardingLimits usual = limits({});
  CHECK(usual.rows_per_shard == 500000);
  CHECK(usual.minimum_shard_size == 100000);
  CHECK(usual.shrink_threshold == 100000);
  CHECK(usual.expansion_limit == 750000);
  CHECK(usual.wrong().empty());
  const ShardingLimits older = limits({{"shard_container_threshold", "1000"},
                                       {"shard_shrink_point", "5"},
                                       {"shard_shrink_merge_point", "40"}});
  CHECK(older.shrink_threshold == 50);
  CHECK(older.expansion_limit == 400);
  CHECK(limits({{"shard_shrink_point", "5"}, {"shrink_threshold", "7"}}).shrink_threshold == 7);
  CHECK(limits({{"rows_per_shard", "1000000"}}).wrong() ==
        "rows_per_shard (1000000) must be < shard_container_threshold (1000000)");
  CHECK(limits({{"minimum_shard_size", "600000"}}).wrong() ==
        "minimum_shard_size (600000) must be <= rows_per_shard (500000)");
  CHECK(limits({{"shrink_threshold", "100001"}}).wrong() ==
        "shrink_threshold (100001) must be <= minimum_shard_size (100000)");
  CHECK(limits({{"expansion_limit", "1000000"}}).wrong() ==
        "expansion_limit (1000000) must be < shard_container_threshold (1000000)");
}

}  // namespace
}  // namespace apus::test
