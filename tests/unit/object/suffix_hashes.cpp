#include "framework/store/object/suffix_hashes.h"

#include <apus/digest.h>
#include <doctest/doctest.h>

#include "tests/unit/object/store.h"

using namespace apus;
using apus::test::kEarlier;
using apus::test::kLater;
using apus::test::StoreFixture;
namespace fs = std::filesystem;

namespace {

SuffixMap hashes_of(const StoreFixture& device, const std::vector<std::string>& recalculate = {},
                    bool list = false) {
  return device.store
      .suffix_hashes({device.tree.path().string(), "objects", "7"}, recalculate, list)
      .suffixes;
}

SuffixHashes on_disk(const StoreFixture& device) {
  return decode_hashes(device.tree.read("objects/7/hashes.pkl"));
}

}  // namespace

TEST_CASE("a suffix's hash is made of its files' moments") {
  const StoreFixture device;
  const ObjectPlace at = device.place();
  REQUIRE(device.put(at, kEarlier, "x") == 0);
  CHECK(hashes_of(device).hash_of(at.suffix()) == md5_hex(std::string(kEarlier) + ".data"));
  REQUIRE(device.write(at, std::string(kLater) + "-c350.meta",
                       {{"X-Timestamp", kLater},
                        {"Content-Type", "a/b"},
                        {"Content-Type-Timestamp", "1699999001.50000"}}) == 0);
  CHECK(hashes_of(device).hash_of(at.suffix()) ==
        md5_hex(std::string(kLater) + ".meta" + kEarlier + ".data" + "1699999001.50000_ctype"));
  REQUIRE(device.write(at, std::string(kLater) + ".ts", {{"X-Timestamp", kLater}}) == 0);
  CHECK(hashes_of(device).hash_of(at.suffix()) == md5_hex(std::string(kLater) + ".ts"));
}

TEST_CASE("hashes are kept, and made anew only for what changed") {
  const StoreFixture device;
  const ObjectPlace at = device.place();
  REQUIRE(device.put(at, kEarlier, "x") == 0);
  const auto first = device.store.suffix_hashes(at, {}, false);
  CHECK(first.hashed == 1);
  CHECK(device.tree.read("objects/7/hashes.invalid").empty());
  CHECK(on_disk(device).valid);
  CHECK(on_disk(device).updated == device.host.time.now());
  CHECK(device.store.suffix_hashes(at, {}, false).hashed == 0);
  CHECK(device.store.suffix_hashes(at, {at.suffix()}, false).hashed == 1);
  CHECK(device.store.invalidate(at, at.suffix()) == 0);
  CHECK(device.store.suffix_hashes(at, {}, false).hashed == 1);
  CHECK(device.names("objects/7") ==
        std::set<std::string>{at.suffix(), "hashes.pkl", "hashes.invalid", ".lock"});
}

TEST_CASE("a suffix that lost its last object disappears") {
  const StoreFixture device;
  const ObjectPlace at = device.place();
  REQUIRE(device.put(at, kEarlier, "x") == 0);
  REQUIRE(hashes_of(device).size() == 1);
  fs::remove_all(at.folder());
  CHECK(hashes_of(device, {at.suffix()}).empty());
  CHECK(device.names("objects/7").count(at.suffix()) == 0);
}

TEST_CASE("a partition that is not there has no hashes and stays away") {
  const StoreFixture device;
  CHECK(hashes_of(device).empty());
  CHECK(device.names("objects").empty());
}

TEST_CASE("a damaged hashes.pkl is made anew from the folder") {
  const StoreFixture device;
  const ObjectPlace at = device.place();
  REQUIRE(device.put(at, kEarlier, "x") == 0);
  const auto good = hashes_of(device);
  for (const std::string& bytes :
       {std::string(), std::string("no pickle"), std::string("\x80\x02N."),
        encode_hashes({false, 1, {{"abc", ""}}}),
        std::string("\x80\x02}X\x03\x00\x00\x00../X\x01\x00\x00\x00xs.", 18)}) {
    device.tree.write("objects/7/hashes.pkl", bytes);
    CHECK(hashes_of(device) == good);
    CHECK(on_disk(device).suffixes == good);
  }
}

TEST_CASE("rubbish in the journal names nothing") {
  const StoreFixture device;
  const ObjectPlace at = device.place();
  REQUIRE(device.put(at, kEarlier, "x") == 0);
  const auto good = hashes_of(device);
  device.tree.write("objects/7/hashes.invalid",
                    "../\n\n" + std::string(5000, 'x') + "\nABC\n " + at.suffix() + " \nab");
  CHECK(device.store.suffix_hashes(at, {}, false).hashed == 1);
  CHECK(hashes_of(device) == good);
  CHECK(device.tree.read("objects/7/hashes.invalid").empty());
}

TEST_CASE("what another process writes meanwhile is not written over") {
  const StoreFixture device;
  const ObjectPlace at = device.place();
  fs::create_directories(device.tree.path() / "objects/7/abc");
  const HashFiles files(device.host.disk(), device.host.clock(), device.host.entropy(),
                        at.partition_folder());
  int looks = 0;
  const auto result = files.refresh({}, false, [&](const std::string&) {
    // The first look is overtaken by a writer that marks another suffix.
    if (++looks == 1) {
      SuffixHashes other{true, 5, {{"abc", ""}, {"def", "0123"}}};
      device.tree.write("objects/7/hashes.pkl", encode_hashes(other));
    }
    return std::string(32, 'f');
  });
  CHECK(looks == 2);
  CHECK(result.suffixes.hash_of("def") == "0123");
  CHECK(on_disk(device).suffixes == result.suffixes);
}

TEST_CASE("a look that finds nothing new writes nothing") {
  const StoreFixture device;
  const ObjectPlace at = device.place();
  REQUIRE(device.put(at, kEarlier, "x") == 0);
  const auto good = hashes_of(device);
  const double written = on_disk(device).updated;
  device.host.time.set(written + 100);
  CHECK(hashes_of(device, {}, true) == good);
  CHECK(on_disk(device).updated == written);
  const ObjectPlace other = device.place("/a/c/other");
  REQUIRE(device.put(other, kEarlier, "x") == 0);
  CHECK(hashes_of(device).size() == 2);
  CHECK(on_disk(device).updated == written + 100);
}

TEST_CASE("a cache that a crash took is made anew") {
  test::FaultyStore device;
  const ObjectPlace at = device.place();
  REQUIRE(device.put(kEarlier, "x") == 0);
  const auto good = device.store->suffix_hashes(at, {}, false).suffixes;
  REQUIRE(good.size() == 1);
  for (const bool some : {false, true}) {
    device.disk.crash(some ? &device.host.chance : nullptr);
    CHECK(device.store->suffix_hashes(at, {}, false).suffixes == good);
  }
}

TEST_CASE("hashes survive their pickle") {
  const SuffixHashes hashes{true, 1700000000.25, {{"0ab", std::string(32, 'a')}, {"fff", ""}}};
  CHECK(decode_hashes(encode_hashes(hashes)) == hashes);
  const std::string pickle = encode_hashes(hashes);
  for (std::size_t cut = 0; cut < pickle.size(); ++cut)
    CHECK(!decode_hashes(pickle.substr(0, cut)).valid);
  CHECK(decode_suffixes(encode_suffixes(hashes.suffixes)) == hashes.suffixes);
  CHECK(encode_suffixes({}) == "\x80\x02}(u.");
  CHECK(!decode_suffixes("<html>"));
}

TEST_CASE("files where folders should be are set aside") {
  const StoreFixture device;
  const ObjectPlace at = device.place();
  REQUIRE(device.put(at, kEarlier, "x") == 0);
  const auto good = hashes_of(device);
  device.tree.write("objects/7/" + at.suffix() + "/stray", "a file");
  device.tree.write("objects/7/fff", "a file");
  CHECK(hashes_of(device, {at.suffix(), "fff"}, true) == good);
  CHECK(device.names("quarantined/objects") == std::set<std::string>{"stray"});
}

TEST_CASE("a map of suffixes is sorted and holds nothing but suffixes") {
  SuffixMap map{{"fff", std::string(32, '1')}, {"000", ""}, {"abc", "x"}};
  map.set("ABC", "x");
  map.set("abcd", "x");
  map.add("..");
  REQUIRE(map.size() == 3);
  CHECK(map.begin()->suffix() == "000");
  CHECK(map.unknown() == std::vector<std::string>{"000"});
  map.add("abc");
  CHECK(map.hash_of("abc") == "x");
  map.set("abc", std::string(33, 'x'));
  CHECK(map.hash_of("abc").empty());
  map.erase("abc");
  map.erase("abd");
  CHECK(!map.contains("abc"));
  CHECK(map.size() == 2);
}

TEST_CASE("maps differ where the other has not, or has otherwise") {
  const SuffixMap own{{"000", "a"}, {"001", "b"}, {"002", ""}, {"fff", "d"}};
  CHECK(own.differing_from(own).empty());
  CHECK(own.differing_from({}).size() == 4);
  CHECK(own.differing_from({{"000", "a"}, {"0a0", "x"}, {"001", "B"}, {"002", "c"}}) ==
        std::vector<std::string>{"001", "002", "fff"});
  CHECK(SuffixMap().differing_from(own).empty());
}
