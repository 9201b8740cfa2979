// What is kept of objects that were read is never older than the disk.
#include "framework/store/object/known_objects.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <chrono>

#include "tests/unit/object/store.h"

namespace apus::test {
namespace {

using std::chrono::milliseconds;
using Call = testing::FaultyDisk::Call;

constexpr const char* kT1 = "1700000001.00000";
constexpr const char* kT2 = "1700000002.00000";

// A store that knows its object: a listing of the folder would fail now.
struct Known : FaultyStore {
  Known() {
    REQUIRE(put(kT1, "one") == 0);
    disk.let_pass(milliseconds(200));
    REQUIRE(open().state == ObjectState::kFound);
    disk.fail({.call = Call::kList, .error = EIO});
  }
  // As another process would: past this store, on the same files.
  [[nodiscard]] std::string data_path() const { return place().folder() + "/" + kT1 + ".data"; }
};

KnownObject object(const std::string& path) {
  KnownObject out;
  out.data_path = path;
  out.fields = std::make_shared<const ObjectFields>();
  return out;
}

}  // namespace

TEST_CASE("an object that was read is not looked for again") {
  Known device;
  const OpenObject again = device.open();
  REQUIRE(again.state == ObjectState::kFound);
  CHECK(again.size == 3);
  CHECK(again.data);
  CHECK(again.data_timestamp.internal() == kT1);
  CHECK(again.metadata().get("name") == "/a/c/o");
  CHECK(again.metadata().get("X-Timestamp") == kT1);
  const OpenObject fields =
      device.store->open(device.place(), device.host.time.timestamp(), false, Opening::kFields);
  CHECK(fields.state == ObjectState::kFound);
  CHECK(!fields.data);
}

TEST_CASE("what was changed just now may change again unseen: it is not kept") {
  FaultyStore device;
  REQUIRE(device.put(kT1, "one") == 0);
  REQUIRE(device.open().state == ObjectState::kFound);
  device.disk.fail({.call = Call::kList, .error = EIO});
  CHECK(device.open().state == ObjectState::kFailed);
}

TEST_CASE("another file in the folder, from wherever, is seen") {
  Known device;
  device.disk.clear_faults();
  REQUIRE(device.put(kT2, "other") == 0);
  const OpenObject object = device.open();
  REQUIRE(object.state == ObjectState::kFound);
  CHECK(object.data_timestamp.internal() == kT2);
  CHECK(object.size == 5);
  Disk& disk = real_disk();
  const int fd =
      disk.open(device.place().folder() + "/1700000003.00000.ts", O_CREAT | O_WRONLY, 0644);
  REQUIRE(fd >= 0);
  disk.close(fd);
  CHECK(device.open().quarantined);  // a tombstone without metadata
}

TEST_CASE("a folder that is gone is gone, and one that came back is another") {
  Known device;
  device.disk.clear_faults();
  REQUIRE(real_disk().rename(device.place().folder(), device.place().folder() + "x") == 0);
  CHECK(device.open().state == ObjectState::kMissing);
  REQUIRE(device.put(kT2, "other") == 0);
  CHECK(device.open().size == 5);
}

TEST_CASE("fields and bytes that are changed in place are read anew") {
  Known device;
  device.disk.clear_faults();
  Disk& disk = real_disk();
  const int fd = disk.open(device.data_path(), O_RDWR);
  REQUIRE(fd >= 0);
  SUBCASE("metadata") {
    REQUIRE(disk.fsetxattr(fd, "user.swift.metadata", "no pickle") == 0);
    disk.close(fd);
    CHECK(device.open().quarantined);
  }
  SUBCASE("metadata, when only fields are asked for") {
    REQUIRE(disk.fsetxattr(fd, "user.swift.metadata", "no pickle") == 0);
    disk.close(fd);
    const OpenObject object =
        device.store->open(device.place(), device.host.time.timestamp(), false, Opening::kFields);
    CHECK(object.quarantined);
  }
  SUBCASE("length") {
    REQUIRE(disk.truncate(fd, 1) == 0);
    disk.close(fd);
    CHECK(device.open().quarantined);
  }
}

TEST_CASE("kept bytes are given until the file changes") {
  Known device;
  const OpenObject first = device.open();
  CHECK(first.bytes == nullptr);
  device.store->keep_bytes(device.place(), first, std::make_shared<const std::string>("one"));
  const OpenObject second = device.open();
  REQUIRE(second.bytes != nullptr);
  CHECK(*second.bytes == "one");
  CHECK(!second.data);
  device.disk.clear_faults();
  Disk& disk = real_disk();
  const int fd = disk.open(device.data_path(), O_RDWR);
  REQUIRE(disk.write(fd, std::string_view("two")) == 3);
  disk.close(fd);
  CHECK(device.open().bytes == nullptr);
}

TEST_CASE("bytes of an object that was replaced meanwhile are not kept") {
  Known device;
  const OpenObject before = device.open();
  device.disk.clear_faults();
  REQUIRE(device.put(kT2, "other") == 0);
  device.disk.let_pass(milliseconds(200));
  REQUIRE(device.open().size == 5);
  device.store->keep_bytes(device.place(), before, std::make_shared<const std::string>("one"));
  CHECK(device.open().bytes == nullptr);
}

TEST_CASE("objects with a .meta are read every time") {
  FaultyStore device;
  REQUIRE(device.put(kT1, "one") == 0);
  ObjectMetadata fields{{"X-Timestamp", kT2}};
  fields.append_known_new("name", "/a/c/o");
  ObjectWriter writer(*device.store, device.place());
  REQUIRE(writer.open(std::nullopt) == 0);
  REQUIRE(writer.commit(fields, std::string(kT2) + ".meta") == 0);
  device.disk.let_pass(milliseconds(200));
  REQUIRE(device.open().state == ObjectState::kFound);
  device.disk.fail({.call = Call::kList, .error = EIO});
  CHECK(device.open().state == ObjectState::kFailed);
}

TEST_CASE("the least recently used go first, none is kept when none is wanted") {
  KnownObjects one_each(16);  // one a shard
  for (int i = 0; i < 1000; ++i) {
    const std::string folder = "/d/" + std::to_string(i);
    one_each.keep(folder, object(folder));
    CHECK(one_each.find(folder)->data_path == folder);
  }
  int left = 0;
  for (int i = 0; i < 1000; ++i) left += one_each.find("/d/" + std::to_string(i)) ? 1 : 0;
  CHECK(left <= 16);
  one_each.forget("/d/999");
  CHECK(one_each.find("/d/999") == nullptr);

  KnownObjects none(0);
  none.keep("/d", object("/d"));
  CHECK(none.find("/d") == nullptr);
}

TEST_CASE("a stamp is settled once the clock has moved on by more than a tick") {
  FileStamp stamp;
  stamp.changed = 5'000'000'000;
  CHECK(!KnownObjects::is_settled(stamp, {5, 0}));
  CHECK(!KnownObjects::is_settled(stamp, {5, 100'000'000}));
  CHECK(KnownObjects::is_settled(stamp, {5, 100'000'001}));
  CHECK(!KnownObjects::is_settled(stamp, {4, 0}));
}

}  // namespace apus::test
