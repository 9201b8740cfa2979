// Paths through shard ranges, gaps between them and overlaps.
#include <doctest/doctest.h>

#include <algorithm>

#include "framework/sharding/shard_paths.h"

namespace apus::test {
namespace {

ShardRange range(const std::string& lower, const std::string& upper,
                 std::int64_t state = ShardRange::kActive, std::int64_t objects = 1,
                 const std::string& when = "0000000050.00000") {
  ShardRange out;
  out.name = "a/" + lower + "-" + upper + "@" + when;
  out.timestamp = when;
  out.lower = lower;
  out.upper = upper;
  out.object_count = objects;
  out.state = state;
  return out;
}

std::string shown(const ShardPath& path) {
  std::string out;
  for (const ShardRange& one : path) out += one.lower + "-" + one.upper + " ";
  return out;
}

TEST_CASE("paths go on where a range ends, and leave out what shrinks") {
  const auto paths =
      find_shard_paths({range("", "d"), range("d", "m"), range("d", "k"), range("k", "m"),
                        range("m", ""), range("x", "z"), range("m", "q", ShardRange::kShrinking)});
  REQUIRE(paths.size() == 3);
  std::vector<std::string> all;
  for (const ShardPath& path : paths) all.push_back(shown(path));
  std::sort(all.begin(), all.end());
  CHECK(all == std::vector<std::string>{"-d d-k k-m m- ", "-d d-m m- ", "x-z "});
  CHECK(find_shard_paths({}).empty());
}

TEST_CASE("a hopeless tangle is bounded") {
  std::vector<ShardRange> ranges;
  for (int i = 0; i < 40; ++i) {
    const std::string lower = std::to_string(100 + i);
    const std::string upper = std::to_string(101 + i);
    ranges.push_back(range(lower, upper));
    ranges.push_back(range(lower, upper, ShardRange::kActive, 2, "0000000051.00000"));
  }
  CHECK(find_shard_paths(ranges).size() == 1000);
}

TEST_CASE("the best path spans all, then is cleaved furthest, then holds most") {
  const ShardRange whole;
  std::vector<ShardPath> paths = {
      {range("", "x", ShardRange::kActive, 1000)},
      {range("", "m", ShardRange::kCreated, 9), range("m", "", ShardRange::kCreated, 9)},
      {range("", "k", ShardRange::kCleaved), range("k", "", ShardRange::kCreated)},
      {range("", "k", ShardRange::kCleaved), range("k", "", ShardRange::kActive)},
      {range("", "k", ShardRange::kCleaved, 2), range("k", "", ShardRange::kActive)},
  };
  rank_shard_paths(paths, whole);
  CHECK(paths[0][0].object_count == 2);
  CHECK(shown(paths[1]) == "-k k- ");
  CHECK(paths[2][1].state == ShardRange::kCreated);
  CHECK(shown(paths[3]) == "-m m- ");
  CHECK(shown(paths[4]) == "-x ");
  CHECK(path_spans(paths[0], whole));
  CHECK_FALSE(path_spans(paths[4], whole));
}

std::string gaps_of(const std::vector<ShardRange>& ranges) {
  std::string out;
  for (const ShardGap& gap : find_shard_gaps(ranges)) {
    out += "[" + shown(gap.before) + "] " + gap.lower + "-" + gap.upper + " [" + shown(gap.behind) +
           "]";
  }
  return out;
}

TEST_CASE("gaps lie between the paths that reach furthest") {
  CHECK(gaps_of({range("", "m"), range("m", "")}).empty());
  CHECK(gaps_of({}) == "[] - []");
  CHECK(gaps_of({range("c", "m"), range("p", "z")}) == "[] -c [c-m ][c-m ] m-p [p-z ][p-z ] z- []");
  CHECK(gaps_of({range("", "m"), range("k", "p"), range("q", "")}) == "[k-p ] p-q [q- ]");
  // What shrinks fills nothing.
  CHECK(gaps_of({range("", "m"), range("m", "", ShardRange::kShrinking)}) == "[-m ] m- []");
}

TEST_CASE("overlaps are told once a group") {
  CHECK(find_shard_overlaps({range("", "m"), range("m", "")}).empty());
  const auto groups = find_shard_overlaps({range("", "m"), range("k", "p"), range("l", "")});
  REQUIRE(groups.size() == 2);
  CHECK(shown(groups[0]) == "-m k-p l- ");
  CHECK(shown(groups[1]) == "k-p l- ");
  CHECK(find_shard_overlaps({range("a", "a"), range("", "")}).empty());
}

TEST_CASE("ranges must follow one another over all of the container") {
  const ShardRange own;
  CHECK(not_contiguous(own, {range("", "m"), range("m", "")}).empty());
  CHECK(not_contiguous(own, {}) == std::vector<std::string>{"No shard ranges."});
  CHECK(not_contiguous(own, {range("", "m"), range("n", "")}) ==
        std::vector<std::string>{"m != n"});
  CHECK(not_contiguous(own, {range("b", ""), range("", "z")}).size() == 3);
}

TEST_CASE("a range changes, and what was told of it is no longer right") {
  ShardRange one = range("c", "m");
  one.reported = true;
  CHECK_FALSE(one.update_state(ShardRange::kActive));
  CHECK(one.reported);
  CHECK(one.update_state(ShardRange::kSharding, "0000000060.00000"));
  CHECK_FALSE(one.reported);
  CHECK(one.state_timestamp == "0000000060.00000");
  one.reported = true;
  one.update_numbers(1, 0, Timestamp::from_seconds(70));
  CHECK(one.reported);
  CHECK(one.meta_timestamp == "0000000070.00000");
  one.update_tombstones(-1, Timestamp::from_seconds(71));
  CHECK(one.reported);
  one.update_tombstones(3, Timestamp::from_seconds(72));
  CHECK_FALSE(one.reported);
  CHECK(one.row_count() == 4);
  CHECK(one.mark_deleted(Timestamp::from_seconds(80)));
  CHECK_FALSE(one.mark_deleted(Timestamp::from_seconds(81)));
  CHECK(one.timestamp == "0000000080.00000");
  CHECK(one.expand({range("b", "d"), range("x", "")}));
  CHECK(one.lower == "b");
  CHECK(one.upper.empty());
  CHECK_FALSE(one.expand({range("y", "z")}));
  CHECK(one.includes(range("c", "")));
  CHECK_FALSE(range("c", "m").includes(range("c", "")));
  CHECK(one.end_marker().empty());
  CHECK(range("c", "m").end_marker() == std::string("m\0", 2));
  CHECK(shard_state_name(one.state) == "sharding");
  CHECK(shard_state_name(11).empty());
}

}  // namespace
}  // namespace apus::test
