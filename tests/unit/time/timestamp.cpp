#include <apus/timestamp.h>
#include <doctest/doctest.h>

using apus::Timestamp;

TEST_CASE("a timestamp has three forms") {
  const Timestamp plain = Timestamp::parse("1795382000.12345").value();
  CHECK(plain.normal() == "1795382000.12345");
  CHECK(plain.internal() == "1795382000.12345");
  const Timestamp offset = Timestamp::parse("1795382001.00000_3").value();
  CHECK(offset.internal() == "1795382001.00000_0000000000000003");
  CHECK(offset.short_form() == "1795382001.00000_3");
  CHECK(plain < offset);
}

TEST_CASE("rounding is half to even on the double") {
  CHECK(Timestamp::parse("1402464677.041885")->normal() == "1402464677.04188");
  CHECK(Timestamp::parse("1402464677.041875")->normal() == "1402464677.04187");
  CHECK(Timestamp::parse(" 1e9 ")->normal() == "1000000000.00000");
}

TEST_CASE("what is no timestamp is refused") {
  for (const char* text :
       {"", "x", "-1", "1e10", "nan", "inf", "1_2_3", "1_12345678901234567", "1.0x"}) {
    CAPTURE(text);
    CHECK_FALSE(Timestamp::parse(text));
  }
}

TEST_CASE("triples are written as deltas") {
  const auto at = [](const char* text) { return Timestamp::parse(text).value(); };
  CHECK(apus::encode_timestamps(at("1795382002"), at("1795382000.5"), std::nullopt, true) ==
        "1795382002.00000-249f0");
  CHECK(apus::encode_timestamps(at("10"), at("10"), at("10"), false) == "0000000010.00000");
  CHECK(apus::encode_timestamps(at("10"), at("20"), at("20"), false) == "0000000010.00000+f4240+0");
  const auto triple = apus::decode_timestamps("0000000017.00000+493e0+f4240").value();
  CHECK(triple.content_type.normal() == "0000000020.00000");
  CHECK(triple.meta.normal() == "0000000030.00000");
  CHECK_FALSE(apus::decode_timestamps("17+zz"));
  CHECK_FALSE(apus::decode_timestamps("17+1+1+1"));
}

TEST_CASE("dates of HTTP") {
  CHECK(apus::http_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  for (const char* text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov  6 08:49:37 1994"}) {
    CHECK(apus::parse_http_date(text).value() == 784111777);
  }
  CHECK_FALSE(apus::parse_http_date("yesterday"));
}
