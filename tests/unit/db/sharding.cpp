// What a sharder does to a container's files, and to the rows in them.
#include <doctest/doctest.h>

#include <filesystem>

#include "framework/sharding/cleaving_context.h"
#include "tests/unit/db/store.h"

namespace apus::test {
namespace {

namespace fs = std::filesystem;

std::vector<ObjectRow> numbered(int count, double when = 11) {
  std::vector<ObjectRow> out;
  for (int i = 0; i < count; ++i) out.push_back(object("o" + std::to_string(1000 + i), when));
  return out;
}

ShardRange own_range(const std::string& epoch, std::int64_t state = ShardRange::kSharding) {
  ShardRange out;
  out.name = "a/c";
  out.timestamp = out.meta_timestamp = out.state_timestamp = at(50).internal();
  out.state = state;
  out.epoch = epoch;
  return out;
}

std::string names_of(const std::vector<ObjectRow>& rows) {
  std::string out;
  for (const ObjectRow& row : rows) out += row.name + (row.deleted ? "- " : " ");
  return out;
}

TEST_CASE("a fresh file has all but the rows, and takes what comes") {
  Store store;
  auto broker = store.container();
  broker.create(at(10), 1);
  broker.merge_objects(numbered(3), {"peer", 7});
  broker.merge_sync_points({{"other", 5}}, false);
  broker.update_metadata({{"X-Container-Meta-Color", "blue"}}, at(12));
  CHECK_FALSE(broker.set_sharding_state());  // no epoch
  CHECK(store.host.log.has("missing epoch"));
  broker.merge_shard_ranges({own_range(at(60).internal())});
  broker.put_object(object("late", 13));
  const std::string before = broker.info()->id;
  CHECK(broker.set_sharding_state());
  CHECK(broker.state() == ShardingState::kSharding);
  CHECK(broker.files().size() == 2);
  CHECK(broker.file().ends_with("_" + at(60).internal() + ".db"));
  const auto stat = *broker.info();
  CHECK(stat.id != before);
  CHECK(stat.created_at == broker.oldest().info()->created_at);
  CHECK(stat.policy == 1);
  CHECK(stat.hash == std::string(32, '0'));
  CHECK(broker.metadata().at("X-Container-Meta-Color").first == "blue");
  CHECK(broker.sync_point("peer") == 7);
  CHECK(broker.sync_point("other", false) == 5);
  CHECK(broker.stored_own_range()->epoch == at(60).internal());
  CHECK_FALSE(broker.has_several_policies());
  CHECK(broker.max_row() == 4);  // numbers go on
  CHECK_FALSE(broker.set_sharding_state());
  // Another process knew the one file alone; its row goes to the fresh one all the same.
  broker.put_object(object("next", 14));
  CHECK(names_of(broker.rows_between({})) == "next ");
  CHECK(broker.oldest().max_row() == 4);
  CHECK(broker.max_row() == 5);
}

TEST_CASE("whoever looked before a container began to shard writes to the fresh file") {
  Store store;
  auto writer = store.container();
  writer.create(at(10), 0);
  CHECK(writer.files().size() == 1);
  writer.put_object(object("o", 11));
  auto sharder = store.container();
  sharder.merge_shard_ranges({own_range(at(60).internal())});
  CHECK(sharder.set_sharding_state());
  writer.put_object(object("p", 12));
  writer.commit_pending();
  CHECK(names_of(sharder.rows_between({})) == "p ");
  CHECK(names_of(sharder.oldest().rows_between({})) == "o ");
}

TEST_CASE("the retiring file stays while rows come to it") {
  Store store;
  auto broker = store.container();
  broker.create(at(10), 0);
  CHECK_FALSE(broker.set_sharded_state(-1));
  broker.merge_objects(numbered(2));
  broker.merge_shard_ranges({own_range(at(60).internal())});
  REQUIRE(broker.set_sharding_state());
  CHECK_FALSE(broker.set_sharded_state(1));
  CHECK(broker.files().size() == 2);
  CHECK(broker.set_sharded_state(2));
  CHECK(broker.files().size() == 1);
  CHECK(broker.state() == ShardingState::kCollapsed);  // it has no shard
}

TEST_CASE("whoever looked before the retiring file went reads the one that stayed") {
  Store store;
  auto sharder = store.container();
  sharder.create(at(10), 0);
  sharder.merge_objects(numbered(2));
  sharder.merge_shard_ranges({own_range(at(60).internal())});
  REQUIRE(sharder.set_sharding_state());
  auto reader = store.container();
  REQUIRE(reader.files().size() == 2);
  REQUIRE(sharder.set_sharded_state(2));
  SUBCASE("its sums") {
    const auto stat = reader.info();
    REQUIRE(stat);
    CHECK(stat->state == ShardingState::kCollapsed);
    CHECK(stat->object_count == 0);
  }
  SUBCASE("whether it is empty") { CHECK(reader.empty()); }
  SUBCASE("its names") {
    int rows = 0;
    reader.list({}, 0, [&](const ListingEntry&) { ++rows; });
    CHECK(rows == 0);
  }
  CHECK(reader.files().size() == 1);
}

TEST_CASE("a shard's copy is made with its epoch") {
  Store store;
  auto broker = store.container();
  CHECK(broker.create(at(10), 0, at(60).internal()));
  CHECK(broker.file_epoch() == at(60).internal());
  CHECK_FALSE(store.container().create(at(11), 0));
  CHECK(broker.file_epoch() == at(60).internal());
  CHECK_THROWS(store.container("d").create(at(11), 0, "no time"));
}

TEST_CASE("rows are read by name, tombstones and all policies among them") {
  Store store;
  auto broker = store.container();
  broker.create(at(10), 0);
  auto rows = numbered(6);
  rows[1].deleted = rows[4].deleted = true;
  ObjectRow twin = rows[2];
  twin.policy = 1;
  rows.push_back(twin);
  rows.push_back(object(std::string("\0reserved", 9), 11));
  broker.merge_objects(rows);
  CHECK(broker.rows_between({}).size() == 8);
  CHECK(names_of(broker.rows_between({"o1000", "o1004"})) == "o1001- o1002 o1002 o1003 o1004- ");
  // A page does not end between two rows of one name.
  CHECK(names_of(broker.rows_between({"o1000", "", -1, 2})) == "o1001- o1002 o1002 ");
  CHECK(names_of(broker.rows_between({"o1002", "", -1, 2})) == "o1003 o1004- ");
  CHECK(names_of(broker.rows_between({"o", "", 4, 100})) == "o1002 o1004- o1005 ");
  CHECK(broker.tombstone_count() == 2);
  broker.remove_rows("o1000", "o1003", 4);
  CHECK(names_of(broker.rows_between({"o", "", -1, 100})) == "o1000 o1002 o1004- o1005 ");
  broker.remove_rows("", "", broker.max_row());
  CHECK(broker.rows_between({}).empty());
  CHECK(broker.info()->object_count == 0);
}

std::string shown(const std::vector<FoundRange>& ranges) {
  std::string out;
  for (const FoundRange& one : ranges) {
    out += std::to_string(one.index) + ":" + one.lower + "-" + one.upper + "=" +
           std::to_string(one.object_count) + " ";
  }
  return out;
}

TEST_CASE("bounds are found so that the sum stays") {
  Store store;
  auto broker = store.container();
  broker.create(at(10), 0);
  broker.merge_objects(numbered(10));
  bool last = true;
  CHECK(broker.find_shard_ranges(10, 1, -1, {}, last).empty());
  CHECK_FALSE(last);
  CHECK(shown(broker.find_shard_ranges(4, 1, -1, {}, last)) ==
        "0:-o1003=4 1:o1003-o1007=4 2:o1007-=2 ");
  CHECK(last);
  // A rest that is too small is no shard.
  CHECK(shown(broker.find_shard_ranges(4, 3, -1, {}, last)) == "0:-o1003=4 1:o1003-=6 ");
  const auto first = broker.find_shard_ranges(4, 1, 1, {}, last);
  CHECK(shown(first) == "0:-o1003=4 ");
  CHECK_FALSE(last);
  ShardRange known;
  known.upper = first[0].upper;
  known.object_count = 4;
  CHECK(shown(broker.find_shard_ranges(4, 1, -1, {known}, last)) == "1:o1003-o1007=4 2:o1007-=2 ");
  known.state = ShardRange::kActive;  // its number has changed since, maybe
  CHECK(shown(broker.find_shard_ranges(4, 1, -1, {known}, last)) == "1:o1003-o1007=4 2:o1007-=4 ");
  known.upper = "";
  CHECK(broker.find_shard_ranges(4, 1, -1, {known}, last).empty());
  CHECK(last);
  // A shard ends where it ends, whatever lies beyond.
  ShardRange own = own_range(at(60).internal());
  own.upper = "o1005";
  broker.merge_shard_ranges({own});
  CHECK(shown(broker.find_shard_ranges(4, 1, -1, {}, last)) == "0:-o1003=4 1:o1003-o1005=6 ");
}

TEST_CASE("a cleaving context is kept in the newest file, by the id of the oldest") {
  Store store;
  auto broker = store.container();
  broker.create(at(10), 0);
  broker.merge_objects(numbered(2));
  broker.merge_shard_ranges({own_range(at(60).internal())});
  REQUIRE(broker.set_sharding_state());
  CleavingContext context = CleavingContext::load(broker);
  const std::string id = broker.oldest().info()->id;
  CHECK(context.ref == id);
  CHECK(context.max_row == 2);
  context.start();
  context.range_done("m");
  context.cleaving_done = context.misplaced_done = true;
  context.store(broker);
  const auto kept = broker.metadata().at("X-Container-Sysmeta-Shard-Context-" + id).first;
  CHECK(kept == "{\"ref\": \"" + id +
                    "\", \"cursor\": \"m\", \"max_row\": 2, \"cleave_to_row\": 2, "
                    "\"last_cleave_to_row\": null, \"cleaving_done\": true, "
                    "\"misplaced_done\": true, \"ranges_done\": 1, \"ranges_todo\": -1}");
  CHECK(CleavingContext::load(broker).done());
  REQUIRE(CleavingContext::load_all(broker).size() == 1);
  ContainerBroker retiring = broker.oldest();
  retiring.merge_objects({object("late", 20)});
  context = CleavingContext::load(broker);
  CHECK_FALSE(context.done());
  context.reset();
  CHECK(context.last_cleave_to_row == 2);
  CHECK(context.cursor.empty());
  CHECK_FALSE(context.misplaced_done);
  store.host.time.advance(std::chrono::seconds(1));
  context.remove(broker);
  CHECK(CleavingContext::load_all(broker).empty());
  CHECK_FALSE(CleavingContext::from_text("[]").has_value());
  CHECK(CleavingContext::from_text("{\"max_row\": \"x\"}")->max_row == std::nullopt);
}

}  // namespace
}  // namespace apus::test
