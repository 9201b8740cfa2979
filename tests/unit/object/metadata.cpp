#include "framework/store/object/metadata.h"

#include <apus/digest.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/xattr.h>

#include "tests/unit/object/store.h"

using namespace apus;

TEST_CASE("metadata survives its pickle, bytes above 0x7f too") {
  ObjectMetadata metadata;
  metadata.append_known_new("X-Timestamp", "1795382002.00000");
  metadata.append_known_new("ETag", "d41d8cd98f00b204e9800998ecf8427e");
  metadata.append_known_new("X-Object-Meta-Snow", "\xE2\x98\x83");
  metadata.append_known_new("X-Object-Meta-Empty", "");
  metadata.append_known_new("name", "/a/c/\xE2\x98\x83");
  const std::string pickle = encode_metadata(metadata);
  // Python's reader tells by this text, near the start, who wrote the metadata.
  CHECK(pickle.substr(0, 32).find("_codecs\nencode") != std::string::npos);
  // A header's byte is kept as UTF-8 of latin-1, twice; the name's once.
  CHECK(pickle.find("\xC3\x83\xC2\xA2\xC3\x82\xC2\x98\xC3\x82\xC2\x83") != std::string::npos);
  CHECK(pickle.find("/a/c/\xC3\xA2\xC2\x98\xC2\x83") != std::string::npos);
  const auto back = decode_metadata(pickle);
  REQUIRE(back);
  REQUIRE(back->size() == metadata.size());
  CHECK(std::equal(back->begin(), back->end(), metadata.begin()));
}

TEST_CASE("what Python 2 wrote has the wire's own bytes") {
  using namespace std::string_literals;
  const std::string pickle = "\x80\x02}q\x00("s + "U\x04name"s + "U\x06/a/c/o"s + "U\x0f" +
                             "X-Object-Meta-C"s + "U\x03\xE2\x98\x83"s + "U\x0e" +
                             "Content-Length"s + "K\x05"s + "u."s;
  const auto read = decode_metadata(pickle);
  REQUIRE(read);
  CHECK(read->get("X-Object-Meta-C") == "\xE2\x98\x83");
  CHECK(read->get("Content-Length") == "5");
  CHECK(read->get("name") == "/a/c/o");
}

TEST_CASE("rubbish is no metadata") {
  const std::string good = encode_metadata(ObjectMetadata{{"X-A", "b"}});
  for (std::size_t cut = 0; cut < good.size(); ++cut) CHECK(!decode_metadata(good.substr(0, cut)));
  for (const char* text : {"", ".", "N.", "\x80\x02N.", "]q.", "cos\nsystem\n(S'true'\ntR.",
                           "\x80\x02}(X\xff\xff\xff\x7fxu."}) {
    CAPTURE(text);
    CHECK(!decode_metadata(text));
  }
}

TEST_CASE("a wrong checksum is damage, a missing one is not") {
  const test::StoreFixture device;
  const auto path = device.tree.write("f", "");
  Disk& disk = real_disk();
  const Fd fd(disk, disk.open(path, O_RDWR));
  const ObjectMetadata metadata{{"X-A", "b"}};
  REQUIRE(write_metadata(disk, fd.get(), metadata) == 0);
  ObjectMetadata out;
  CHECK(read_metadata(disk, fd.get(), out) == XattrResult::kGood);
  CHECK(out.get("X-A") == "b");
  REQUIRE(disk.fsetxattr(fd.get(), "user.swift.metadata_checksum", std::string(32, '0')) == 0);
  CHECK(read_metadata(disk, fd.get(), out) == XattrResult::kDamaged);
  REQUIRE(::fremovexattr(fd.get(), "user.swift.metadata_checksum") == 0);
  CHECK(read_metadata(disk, fd.get(), out) == XattrResult::kGood);
  REQUIRE(::fremovexattr(fd.get(), "user.swift.metadata") == 0);
  CHECK(read_metadata(disk, fd.get(), out) == XattrResult::kDamaged);
}
