// A database's life: deletion, metadata, what peers know of it, reclaiming, shards.
#include <doctest/doctest.h>

#include "tests/unit/db/store.h"

namespace apus::test {
namespace {

TEST_CASE("deleted and put again") {
  Store store;
  auto broker = store.container();
  CHECK(broker.gone());
  broker.create(at(10), 0);
  CHECK_FALSE(broker.gone());
  broker.update_metadata(
      {{"x-container-meta-a", "b"}, {"X-Container-Sysmeta-Shard-Quoted-Root", "a/root"}}, at(11));
  broker.mark_deleted(at(20));
  CHECK(broker.gone());
  CHECK(broker.metadata().at("X-Container-Meta-A").first.empty());
  CHECK(broker.metadata().at("X-Container-Sysmeta-Shard-Quoted-Root").first == "a/root");
  broker.put_object(object("o", 21));
  CHECK_FALSE(broker.gone());  // the pending row counts
  ObjectRow tombstone = object("o", 22, 0);
  tombstone.deleted = true;
  broker.put_object(tombstone);
  CHECK(broker.gone());
  broker.set_policy(1, at(30));
  broker.touch(at(30));
  CHECK_FALSE(broker.gone());
  CHECK(broker.info()->policy == 1);
  CHECK(broker.info()->status_changed_at == at(30).internal());
}

TEST_CASE("metadata beyond the limits changes nothing") {
  Store store;
  auto broker = store.account();
  broker.create(at(10));
  Headers many;
  for (int i = 0; i < 91; ++i) many.set("X-Account-Meta-N" + std::to_string(i), "v");
  CHECK(broker.update_metadata(many, at(11)) == "Too many metadata items; max 90");
  CHECK(broker.update_metadata({{"X-Account-Meta-Big", std::string(5000, 'x')}}, at(11)) ==
        "Total metadata too large; max 4096");
  CHECK(broker.update_metadata({{"X-Account-Meta-Bad", "\xff"}}, at(11)) ==
        "Metadata must be valid UTF-8");
  CHECK(broker.metadata().empty());
  CHECK(broker.update_metadata({{"X-Account-Meta-A", "new"}}, at(12)).empty());
  CHECK(broker.update_metadata({{"X-Account-Meta-A", "old"}}, at(11)).empty());
  CHECK(broker.metadata().at("X-Account-Meta-A").first == "new");
}

TEST_CASE("tombstones, emptied metadata and old peers go when they are old enough") {
  Store store;
  auto broker = store.container();
  broker.create(at(10), 0);
  ObjectRow old = object("old", 100, 0);
  ObjectRow recent = object("recent", 900, 0);
  old.deleted = recent.deleted = true;
  broker.merge_objects({old, recent, object("alive", 50)}, {"peer", 3});
  broker.update_metadata({{"X-Container-Meta-A", ""}}, at(100));
  CHECK(broker.sync_point("peer") == 3);
  broker.reclaim(at(500), at(5e9));
  CHECK(broker.rows_since(-1, 10).size() == 2);
  CHECK(broker.metadata().empty());
  CHECK(broker.sync_point("peer") == -1);
  CHECK(broker.max_row() == 3);
}

TEST_CASE("a copy takes an id of its own and knows its origin's rows") {
  Store store;
  auto broker = store.container();
  broker.create(at(10), 0);
  broker.merge_objects({object("o", 11), object("p", 12)});
  const std::string before = broker.info()->id;
  broker.take_new_id("origin");
  CHECK(broker.info()->id != before);
  CHECK(broker.sync_point("origin") == 2);
  CHECK(broker.info()->reported_put_timestamp == "0");
}

ShardRange range(const std::string& lower, const std::string& upper, std::int64_t state) {
  ShardRange out;
  out.name = ".shards_a/c-" + lower + "-" + upper;
  out.timestamp = out.meta_timestamp = out.state_timestamp = at(50).internal();
  out.lower = lower;
  out.upper = upper;
  out.object_count = 3;
  out.bytes_used = 30;
  out.state = state;
  return out;
}

std::string bounds(const std::vector<ShardRange>& ranges) {
  std::string out;
  for (const ShardRange& one : ranges) out += one.lower + "-" + one.upper + ",";
  return out;
}

TEST_CASE("shard ranges are found by name, marker and state") {
  Store store;
  auto broker = store.container();
  broker.create(at(10), 0);
  broker.merge_shard_ranges({range("m", "t", ShardRange::kActive),
                             range("", "m", ShardRange::kCleaved),
                             range("t", "", ShardRange::kFound)});
  CHECK(bounds(broker.shard_ranges()) == "-m,m-t,t-,");
  ShardQuery query;
  query.includes = "m";
  CHECK(bounds(broker.shard_ranges(query)) == "-m,");
  query = {};
  query.marker = "m";
  CHECK(bounds(broker.shard_ranges(query)) == "m-t,t-,");
  query.end_marker = "n";
  CHECK(bounds(broker.shard_ranges(query)) == "m-t,");
  query = {};
  query.states = *shard_states({"listing"});
  CHECK(bounds(broker.shard_ranges(query)) == "-m,m-t,");
  query.fill_gaps = true;
  const auto filled = broker.shard_ranges(query);
  CHECK(bounds(filled) == "-m,m-t,t-,");
  CHECK(filled.back().name == "a/c");
  query.reverse = true;
  CHECK(bounds(broker.shard_ranges(query)) == "t-,m-t,-m,");
  CHECK_FALSE(shard_states({"nonsense"}).has_value());
  CHECK_FALSE(shard_states({"41"}).has_value());
  CHECK(shard_states({"40", "Found"})->size() == 2);
}

TEST_CASE("a sharded root counts its shards") {
  Store store;
  auto broker = store.container();
  broker.create(at(10), 0);
  broker.merge_objects({object("o", 11)});
  ShardRange own = range("", "", ShardRange::kSharded);
  own.name = "a/c";
  own.epoch = at(60).internal();
  broker.merge_shard_ranges(
      {own, range("", "m", ShardRange::kActive), range("m", "", ShardRange::kActive)});
  CHECK(broker.sharding_initiated());
  CHECK(broker.info()->state == ShardingState::kUnsharded);
  const std::string folder = broker.place().folder() + "/" + broker.place().hash;
  REQUIRE(::rename((folder + ".db").c_str(), (folder + "_" + own.epoch + ".db").c_str()) == 0);
  auto again = store.container();
  CHECK(again.info()->state == ShardingState::kSharded);
  CHECK(again.info()->object_count == 6);
  CHECK(again.info()->bytes_used == 60);
  CHECK(again.is_root());
  CHECK_FALSE(again.empty());
}

TEST_CASE("shard ranges from outside are refused when they make no sense") {
  const auto why = [](const char* text) {
    std::string out;
    CHECK_FALSE(ShardRange::from_json(*Json::parse(text), out).has_value());
    return out;
  };
  CHECK(why("[]") == "not an object");
  CHECK(why("{}") == "missing name");
  const std::string good = range("a", "b", ShardRange::kActive).to_json().dump();
  std::string none;
  CHECK(ShardRange::from_json(*Json::parse(good), none).has_value());
  const auto with = [&](const char* name, Json value) {
    Json dict = *Json::parse(good);
    dict.set(name, std::move(value));
    return why(dict.dump().c_str());
  };
  CHECK(with("name", "no-slash") == "bad name");
  CHECK(with("name", "a/b/c") == "bad name");
  CHECK(with("timestamp", "x") == "bad timestamp");
  CHECK(with("upper", "A") == "bad upper");
  CHECK(with("lower", 7) == "bad lower");
  CHECK(with("object_count", -1) == "bad object_count");
  CHECK(with("state", 77) == "bad state");
  CHECK(with("epoch", Json::Array{}) == "bad epoch");
}

}  // namespace
}  // namespace apus::test
