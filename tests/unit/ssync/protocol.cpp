#include "framework/ssync/protocol.h"

#include <apus/testing/message.h>
#include <doctest/doctest.h>

#include <vector>

#include "framework/ssync/line_reader.h"

using namespace apus;
using namespace apus::ssync;

namespace {

const std::string kNameHash = "6a1ac88553ed805b332bdb4dd51cacba";

Timestamp at(std::string_view text) { return Timestamp::parse(text).value(); }

Offer offer(std::string_view line) {
  const auto out = decode_offer(line);
  REQUIRE(out);
  return *out;
}

}  // namespace

TEST_CASE("offers, as Swift writes them") {
  CHECK(offer(kNameHash + " 1795382200.00000").meta == at("1795382200.00000"));
  const Offer both = offer(kNameHash + " 1795382200.00000 m:30d40,t:249f0\r");
  CHECK(both.data == at("1795382200.00000"));
  CHECK(both.meta == at("1795382202.00000"));
  CHECK(both.content_type == at("1795382201.50000"));
  CHECK(both.durable);
  CHECK(encode_offer(both) == kNameHash + " 1795382200.00000 m:30d40,t:249f0");
  CHECK(encode_offer(offer(kNameHash + " 1795382200.00000_0000000000000005")) ==
        kNameHash + " 1795382200.00000_0000000000000005");
  CHECK(!offer(kNameHash + " 1795382200.00000 durable:False").durable);
  CHECK(offer(kNameHash + " 1795382200.00000 new:thing,alone,m:1").meta.raw() ==
        at("1795382200.00001").raw());
  const Offer offsets = offer(kNameHash + " 1795382200.00000_0000000000000005 m:186a0__2");
  CHECK(offsets.meta == at("1795382201.00000_0000000000000002"));
  CHECK(encode_offer(offsets) == kNameHash + " 1795382200.00000_0000000000000005 m:186a0__2");
}

TEST_CASE("what is no offer") {
  const std::vector<std::string> lines = {std::string(),
                                          std::string("x"),
                                          kNameHash,
                                          kNameHash + " soon",
                                          "../../etc 1795382200.00000",
                                          kNameHash.substr(1) + " 1795382200.00000",
                                          "6A1AC88553ED805B332BDB4DD51CACBA 1795382200.00000",
                                          kNameHash + " 1795382200.00000 m:",
                                          kNameHash + " 1795382200.00000 m:xyz",
                                          kNameHash + " 1795382200.00000 m:-ffffffffffffff",
                                          kNameHash + " 1795382200.00000 m:1__",
                                          kNameHash + " 1795382200.00000 m:fffffffffffffffffff"};
  for (const std::string& line : lines) {
    CAPTURE(line);
    CHECK(!decode_offer(line));
  }
}

TEST_CASE("what a receiver wants") {
  const Offer there = offer(kNameHash + " 1795382200.00000 m:30d40,t:249f0");
  const auto want = [&](const Local& local) {
    const auto out = compare(there, local);
    return out ? encode_want(*out).substr(kNameHash.size() + 1) : "";
  };
  const Timestamp data = there.data;
  CHECK(want({}) == "dm");
  CHECK(want({data, there.meta, there.content_type}).empty());
  CHECK(want({at("1795382199.00000"), std::nullopt, std::nullopt}) == "d");
  CHECK(want({data, data, there.content_type}) == "m");
  CHECK(want({data, there.meta, data}) == "m");
  CHECK(want({at("1795382199.00000"), data, data}) == "dm");
  // A tombstone here that is newer.
  CHECK(want({at("1795382300.00000"), std::nullopt, std::nullopt}).empty());
}

TEST_CASE("wants, with and without parts") {
  CHECK(decode_want(kNameHash + " dm\r") == Want{kNameHash, true, true});
  CHECK(decode_want(kNameHash + " m") == Want{kNameHash, false, true});
  CHECK(decode_want(kNameHash) == Want{kNameHash, true, false});
  CHECK(!decode_want(""));
  CHECK(!decode_want(":ERROR: 500 'x'"));
}

TEST_CASE("lines end in LF, with or without CR, and are not endless") {
  testing::PieceSource source("a\r\nbb\n\r\nbytes", 3);
  LineReader reader(&source);
  CHECK(reader.line() == "a");
  CHECK(reader.line() == "bb");
  CHECK(reader.line() == "");
  std::string out(9, '\0');
  CHECK(reader.read(out) > 0);

  testing::PieceSource cut("no end");
  LineReader unfinished(&cut);
  CHECK_THROWS_AS(unfinished.line(), BodyError);
  testing::PieceSource endless(std::string(100000, 'x') + "\n");
  LineReader long_line(&endless);
  CHECK_THROWS_AS(long_line.line(), BodyError);
  LineReader none(nullptr);
  CHECK(!none.line());
}
