#include "framework/store/object/object_store.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/xattr.h>

#include <fstream>

#include "tests/unit/object/store.h"

using namespace apus;
using apus::test::FaultyStore;
using apus::test::kEarlier;
using apus::test::kLater;
using apus::test::StoreFixture;
namespace fs = std::filesystem;

namespace {

constexpr const char* kLatest = "1699999003.00000";

std::string quarantined(const StoreFixture& device) {
  const auto names = device.names("quarantined/objects");
  return names.empty() ? "" : *names.begin();
}

void set_attribute(const fs::path& file, const char* name, const std::string& value) {
  REQUIRE(::setxattr(file.c_str(), name, value.data(), value.size(), 0) == 0);
}

}  // namespace

TEST_CASE("what was written is found, under Swift's names") {
  const StoreFixture device;
  const ObjectPlace at = device.place("/AUTH_a/c/type");
  REQUIRE(device.put(at, kEarlier, "hello", {{"X-Object-Meta-A", "b"}}) == 0);
  CHECK(device.files(at) == std::set<std::string>{std::string(kEarlier) + ".data"});
  CHECK(at.folder() == at.device + "/objects/7/" + at.hash.substr(29) + "/" + at.hash);
  const OpenObject object = device.open(at);
  REQUIRE(object.state == ObjectState::kFound);
  CHECK(object.size == 5);
  CHECK(object.metadata().get("X-Object-Meta-A") == "b");
  CHECK(object.timestamp.internal() == kEarlier);
  CHECK(device.tree.read("objects/7/hashes.invalid") == at.suffix() + "\n");
}

TEST_CASE("a newer object replaces, a tombstone ends it, an old tombstone does not stay") {
  const StoreFixture device;
  const ObjectPlace at = device.place();
  REQUIRE(device.put(at, kEarlier, "one") == 0);
  REQUIRE(device.put(at, kLater, "two") == 0);
  CHECK(device.files(at) == std::set<std::string>{std::string(kLater) + ".data"});
  REQUIRE(device.write(at, std::string(kLatest) + ".ts", {{"X-Timestamp", kLatest}}) == 0);
  CHECK(device.files(at) == std::set<std::string>{std::string(kLatest) + ".ts"});
  const OpenObject gone = device.open(at);
  CHECK(gone.state == ObjectState::kDeleted);
  CHECK(gone.timestamp.internal() == kLatest);

  const ObjectPlace other = device.place("/a/c/other");
  REQUIRE(device.write(other, "1000000000.00000.ts", {{"X-Timestamp", "1000000000.00000"}}) == 0);
  CHECK(!fs::exists(other.folder()));
}

TEST_CASE("a POST's metadata lies over the data's, but not over what belongs to the data") {
  const StoreFixture device;
  const ObjectPlace at = device.place();
  REQUIRE(device.put(at, kEarlier, "hello",
                     {{"X-Object-Meta-A", "1"}, {"X-Object-Sysmeta-S", "s"}}) == 0);
  REQUIRE(device.write(at, std::string(kLatest) + "-186a0.meta",
                       {{"X-Timestamp", kLatest},
                        {"X-Object-Meta-B", "2"},
                        {"X-Object-Sysmeta-S", "other"},
                        {"Content-Type", "image/png"},
                        {"Content-Type-Timestamp", kLater}}) == 0);
  const OpenObject object = device.open(at);
  REQUIRE(object.state == ObjectState::kFound);
  CHECK(!object.metadata().has("X-Object-Meta-A"));
  CHECK(object.metadata().get("X-Object-Meta-B") == "2");
  CHECK(object.metadata().get("X-Object-Sysmeta-S") == "s");
  CHECK(object.metadata().get("Content-Type") == "image/png");
  CHECK(object.metadata().get("Content-Length") == "5");
  CHECK(object.timestamp.internal() == kLatest);
  CHECK(object.data_timestamp.internal() == kEarlier);
  CHECK(object.content_type_timestamp.internal() == kLater);
  CHECK(object.data_metadata().get("Content-Type") == "text/plain");
}

TEST_CASE("expiry is judged by the moment given") {
  const StoreFixture device;
  const ObjectPlace at = device.place();
  REQUIRE(device.put(at, kEarlier, "x", {{"X-Delete-At", "1699999500"}}) == 0);
  CHECK(device.open(at).state == ObjectState::kExpired);
  CHECK(device.open(at, true).state == ObjectState::kFound);
  CHECK(device.store.open(at, Timestamp::from_seconds(1699999400), false).state ==
        ObjectState::kFound);
}

TEST_CASE("damage is quarantined, never deleted") {
  StoreFixture device;
  const ObjectPlace at = device.place();
  const fs::path file = fs::path(at.folder()) / (std::string(kEarlier) + ".data");
  REQUIRE(device.put(at, kEarlier, "hello") == 0);
  SUBCASE("a wrong size") { std::ofstream(file, std::ios::app) << "more"; }
  SUBCASE("rubbish as metadata") { set_attribute(file, "user.swift.metadata", "no pickle"); }
  SUBCASE("no metadata") { ::removexattr(file.c_str(), "user.swift.metadata"); }
  SUBCASE("no name") {
    fs::remove(file);
    REQUIRE(device.put({{at}, at.hash, ""}, kEarlier, "hello") == 0);
    ObjectPlace nameless = at;
    const std::string pickle = encode_metadata(
        ObjectMetadata{{"X-Timestamp", kEarlier}, {"Content-Length", "5"}, {"Etag", "x"}});
    set_attribute(file, "user.swift.metadata", pickle);
    ::removexattr(file.c_str(), "user.swift.metadata_checksum");
  }
  SUBCASE("an expiry that is no number") {
    fs::remove(file);
    REQUIRE(device.put(at, kEarlier, "hello", {{"X-Delete-At", "soon"}}) == 0);
  }
  const OpenObject object = device.open(at);
  CHECK(object.state == ObjectState::kMissing);
  CHECK(object.quarantined);
  CHECK(quarantined(device) == at.hash);
  CHECK(!fs::exists(at.folder()));
  CHECK(device.host.log.has("Quarantined object"));
  CHECK(device.tree.read("objects/7/hashes.invalid").ends_with(at.suffix() + "\n"));

  // A second one of the same name goes beside the first.
  REQUIRE(device.put(at, kLater, "hello") == 0);
  device.store.quarantine(at, "again");
  CHECK(device.names("quarantined/objects").size() == 2);
}

TEST_CASE("a file where an object's folder should be is quarantined") {
  const StoreFixture device;
  const ObjectPlace at = device.place();
  device.tree.write(fs::path(at.folder()).lexically_relative(device.tree.path()), "a file");
  CHECK(device.open(at).state == ObjectState::kMissing);
  CHECK(quarantined(device) == at.hash);
}

TEST_CASE("another name under this hash is a collision, not damage") {
  const StoreFixture device;
  ObjectPlace at = device.place();
  REQUIRE(device.put(at, kEarlier, "hello") == 0);
  at.name = "/a/c/another";
  CHECK(device.open(at).state == ObjectState::kCollision);
  CHECK(device.files(at).size() == 1);
}

TEST_CASE("a place without a name opens by its hash") {
  const StoreFixture device;
  ObjectPlace at = device.place();
  REQUIRE(device.put(at, kEarlier, "hello") == 0);
  at.name.clear();
  const OpenObject object = device.open(at);
  REQUIRE(object.state == ObjectState::kFound);
  CHECK(object.metadata().get("name") == "/a/c/o");
  ObjectPlace wrong = at;
  wrong.hash = std::string(32, 'a');
  fs::create_directories(wrong.folder());
  fs::rename(fs::path(at.folder()) / (std::string(kEarlier) + ".data"),
             fs::path(wrong.folder()) / (std::string(kEarlier) + ".data"));
  CHECK(device.open(wrong).quarantined);
}

TEST_CASE("a reserve is kept") {
  ObjectStore::Settings settings;
  settings.reserve_percent = 100;
  const StoreFixture device(settings);
  CHECK(device.put(device.place(), kEarlier, "x") == ENOSPC);
  CHECK(!fs::exists(device.place().folder()));
}

TEST_CASE("metadata that is too large for the file system leaves nothing") {
  const StoreFixture device;
  const ObjectPlace at = device.place();
  const int error = device.put(at, kEarlier, "x", {{"X-Object-Meta-A", std::string(200000, 'x')}});
  if (error == 0) return;  // XFS and tmpfs take it
  CHECK((error == ENOSPC || error == E2BIG));
  CHECK(device.open(at).state == ObjectState::kMissing);
  CHECK(!fs::exists(at.folder()));
}

// Whatever change is the last before a power cut: the object before, or the one after; once
// acknowledged, the one after.
TEST_CASE("a power cut between any two steps of a write loses nothing") {
  bool acknowledged = false;
  std::uint64_t steps = 0;
  for (; !acknowledged && steps < 200; ++steps) {
    CAPTURE(steps);
    FaultyStore device;
    REQUIRE(device.put(kEarlier, "before") == 0);
    device.disk.power_off_after(steps);
    acknowledged = device.put(kLater, "after") == 0 && !device.disk.is_off();
    device.disk.crash(&device.host.chance);
    const OpenObject object = device.open();
    REQUIRE(object.state == ObjectState::kFound);
    const bool is_new = object.timestamp.internal() == kLater;
    CHECK(object.size == (is_new ? 5 : 6));
    if (acknowledged) CHECK(is_new);
  }
  CHECK(acknowledged);
  CHECK(steps > 8);
}

TEST_CASE("a first object is on the disk with its folders once it is acknowledged") {
  FaultyStore device;
  REQUIRE(device.put(kEarlier, "hello") == 0);
  device.disk.crash();
  CHECK(device.open().size == 5);
}

TEST_CASE("a queued update is on the disk once it is queued") {
  FaultyStore device;
  REQUIRE(device.store->queue_update(device.place(), device.place().hash,
                                     *Timestamp::parse(kEarlier), "pickle") == 0);
  device.disk.crash();
  CHECK(std::filesystem::exists(device.tree.path() / "async_pending" / device.place().suffix() /
                                (device.place().hash + "-" + kEarlier)));
}

TEST_CASE("a call that fails ends the write and leaves what was there") {
  using Call = testing::FaultyDisk::Call;
  for (const Call call :
       {Call::kMkdir, Call::kLink, Call::kWrite, Call::kSync, Call::kAllocate, Call::kSetXattr}) {
    for (const int error : {ENOSPC, EIO, EDQUOT}) {
      for (std::uint64_t skip = 0; skip < 4; ++skip) {
        CAPTURE(static_cast<int>(call));
        CAPTURE(error);
        CAPTURE(skip);
        FaultyStore device;
        REQUIRE(device.put(kEarlier, "before") == 0);
        device.disk.fail({call, error, skip, 1});
        const int result = device.put(kLater, "after");
        device.disk.clear_faults();
        const OpenObject object = device.open();
        REQUIRE(object.state == ObjectState::kFound);
        CHECK((object.size == 5 || object.size == 6));
        if (result == 0) CHECK(object.size == 5);
        if (result != 0) CHECK(result == error);
      }
    }
  }
}

TEST_CASE("short writes are gone on with") {
  FaultyStore device;
  device.disk.short_writes(2);
  REQUIRE(device.put(kEarlier, "hello") == 0);
  CHECK(device.open().size == 5);
}

TEST_CASE("a disk that runs full in the middle leaves nothing") {
  FaultyStore device;
  device.disk.limit_space(3);
  CHECK(device.put(kEarlier, "hello") == ENOSPC);
  device.disk.limit_space(std::nullopt);
  CHECK(device.open().state == ObjectState::kMissing);
  CHECK(!fs::exists(device.place().folder()));
}

TEST_CASE("a file system without nameless files gets named ones, renamed") {
  FaultyStore device;
  const auto temporary = [&] {
    return std::distance(fs::directory_iterator(device.tree.path() / "tmp"),
                         fs::directory_iterator());
  };
  device.disk.fail({testing::FaultyDisk::Call::kOpen, EOPNOTSUPP, 0, 1, device.place().hash});
  REQUIRE(device.put(kEarlier, "hello") == 0);
  CHECK(device.open().size == 5);
  CHECK(temporary() == 0);
  device.disk.fail({testing::FaultyDisk::Call::kOpen, EOPNOTSUPP, 0, 1, device.place().hash});
  {
    ObjectWriter writer(*device.store, device.place());
    REQUIRE(writer.open(5) == 0);
    CHECK(temporary() == 1);
  }
  CHECK(temporary() == 0);
}

TEST_CASE("while the partition power is raised a file has a name in both partitions") {
  const StoreFixture device;
  ObjectPlace at = device.place();
  at.partition = std::to_string(partition_of_hash(at.hash, 10));
  ObjectMetadata metadata{{"X-Timestamp", kEarlier}, {"Content-Length", "0"}};
  metadata.append_known_new("name", at.name);
  ObjectWriter writer(device.store, at);
  REQUIRE(writer.open(std::nullopt) == 0);
  REQUIRE(writer.commit(metadata, std::string(kEarlier) + ".data", 11) == 0);
  ObjectPlace other = at;
  other.partition = std::to_string(partition_of_hash(at.hash, 11));
  CHECK(other.partition != at.partition);
  CHECK(device.open(at).state == ObjectState::kFound);
  CHECK(device.open(other).state == ObjectState::kFound);
}
