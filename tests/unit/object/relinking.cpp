#include "framework/store/object/relinking.h"

#include <doctest/doctest.h>

#include <fstream>

#include "tests/unit/object/store.h"

using namespace apus;
using test::FaultyStore;
using test::StoreFixture;

namespace {

// The same object's place in the partition after the increase.
ObjectPlace moved(ObjectPlace place) {
  place.partition = "15";
  return place;
}

struct stat stat_of(const std::string& path) {
  struct stat out {};
  ::stat(path.c_str(), &out);
  return out;
}

}  // namespace

TEST_CASE("an object gets a second name, and loses its first") {
  const StoreFixture fixture;
  const ObjectPlace from = fixture.place();
  const ObjectPlace to = moved(from);
  REQUIRE(fixture.put(from, "1700000000.00000", "bytes") == 0);
  RelinkCounts counts;
  CHECK(relink_object(fixture.store, fixture.log, from, to, false, counts));
  CHECK(counts.hash_dirs == 1);
  CHECK(counts.files == 1);
  CHECK(counts.linked == 1);
  const std::string name = "/1700000000.00000.data";
  CHECK(stat_of(from.folder() + name).st_ino == stat_of(to.folder() + name).st_ino);
  CHECK(fixture.names("objects/15").contains("hashes.invalid"));

  CHECK(!relink_object(fixture.store, fixture.log, from, to, false, counts));
  CHECK(counts.linked == 1);
  CHECK(!relink_object(fixture.store, fixture.log, from, to, true, counts));
  CHECK(counts.removed == 1);
  CHECK(counts.errors == 0);
  CHECK(fixture.files(from).empty());
  CHECK(fixture.open(to).state == ObjectState::kFound);
}

TEST_CASE("what is newer in the new place makes the old needless") {
  const StoreFixture fixture;
  const ObjectPlace from = fixture.place();
  const ObjectPlace to = moved(from);
  REQUIRE(fixture.put(from, "1700000000.00000", "old") == 0);
  REQUIRE(fixture.put(to, "1700000001.00000", "new") == 0);
  RelinkCounts counts;
  CHECK(!relink_object(fixture.store, fixture.log, from, to, true, counts));
  CHECK(counts.files == 0);
  CHECK(counts.removed == 1);
  CHECK(fixture.files(from).empty());
  CHECK(fixture.files(to) == std::set<std::string>{"1700000001.00000.data"});
}

TEST_CASE("a clean-up links what was missed before it removes anything") {
  const StoreFixture fixture;
  const ObjectPlace from = fixture.place();
  const ObjectPlace to = moved(from);
  REQUIRE(fixture.put(from, "1700000000.00000", "bytes") == 0);
  REQUIRE(fixture.write(from, "1700000005.00000.meta", {{"X-Timestamp", "1700000005.00000"}}) == 0);
  std::ofstream(from.folder() + "/nobody knows") << "it";
  RelinkCounts counts;
  CHECK(relink_object(fixture.store, fixture.log, from, to, true, counts));
  CHECK(counts.linked == 3);
  CHECK(counts.removed == 3);
  CHECK(fixture.files(from).empty());
  CHECK(fixture.files(to).size() == 3);
}

TEST_CASE("another file of the same name is an error and keeps the old one; a tombstone is not") {
  const StoreFixture fixture;
  const ObjectPlace from = fixture.place();
  const ObjectPlace to = moved(from);
  REQUIRE(fixture.put(from, "1700000000.00000", "one") == 0);
  REQUIRE(fixture.put(to, "1700000000.00000", "two") == 0);
  RelinkCounts counts;
  relink_object(fixture.store, fixture.log, from, to, true, counts);
  CHECK(counts.errors == 1);
  CHECK(counts.removed == 0);
  CHECK(fixture.files(from).size() == 1);

  const std::string now = fixture.host.time.timestamp().internal();
  for (const ObjectPlace& at : {from, to})
    REQUIRE(fixture.write(at, now + ".ts", {{"X-Timestamp", now}}) == 0);
  counts = {};
  relink_object(fixture.store, fixture.log, from, to, true, counts);
  CHECK(counts.errors == 0);
  CHECK(counts.removed == 1);
}

TEST_CASE("whenever the machine dies, an object is in one of its places") {
  for (const bool linked_before : {false, true}) {
    bool died = true;
    for (std::uint64_t moment = 0; died; ++moment) {
      FaultyStore fixture;
      const ObjectPlace from = fixture.place();
      const ObjectPlace to = moved(from);
      REQUIRE(fixture.put("1700000000.00000", "bytes") == 0);
      RelinkCounts counts;
      if (linked_before) relink_object(*fixture.store, fixture.log, from, to, false, counts);
      fixture.disk.power_off_after(moment);
      relink_object(*fixture.store, fixture.log, from, to, true, counts);
      died = fixture.disk.is_off();
      fixture.disk.crash();
      const auto bytes_at = [&](const ObjectPlace& place) {
        const auto found = fixture.store->open(place, fixture.host.time.timestamp(), false);
        return found.state == ObjectState::kFound && found.size == 5;
      };
      const bool whole = bytes_at(from) || bytes_at(to);
      CHECK_MESSAGE(whole, "after " << moment << " changes");
      if (!died) CHECK(bytes_at(to));
    }
  }
}

TEST_CASE("a link that cannot be made keeps the old files") {
  FaultyStore fixture;
  const ObjectPlace from = fixture.place();
  REQUIRE(fixture.put("1700000000.00000", "bytes") == 0);
  using Call = testing::FaultyDisk::Call;
  for (const Call call : {Call::kLink, Call::kMkdir, Call::kSync}) {
    // A link is named by the file that is open.
    fixture.disk.fail({call, EIO, 0, UINT64_MAX, call == Call::kLink ? "" : "/15"});
    RelinkCounts counts;
    relink_object(*fixture.store, fixture.log, from, moved(from), true, counts);
    fixture.disk.clear_faults();
    CHECK(counts.errors == 1);
    CHECK(counts.removed == 0);
    CHECK(fixture.open().state == ObjectState::kFound);
  }
  CHECK(fixture.host.log.has("/15/"));
}
