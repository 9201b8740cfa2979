#include <apus/digest.h>
#include <doctest/doctest.h>

TEST_CASE("known digests") {
  CHECK(apus::md5_hex("") == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(apus::to_hex(apus::hmac(apus::DigestKind::kSha1, "key",
                                "The quick brown fox jumps over the lazy dog")) ==
        "de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9");
}

TEST_CASE("base64 in both alphabets, malformed refused") {
  CHECK(apus::base64_encode("\xfb\xff") == "+/8=");
  CHECK(apus::base64_decode("-_8=").value() == "\xfb\xff");
  CHECK(apus::base64_decode("").value().empty());
  for (const char* text : {"A", "AA", "A===", "A=AA", "AA\n=", "????"}) {
    CAPTURE(text);
    CHECK_FALSE(apus::base64_decode(text));
  }
}

TEST_CASE("hex") {
  CHECK(apus::from_hex("00fF").value() == std::string("\0\xff", 2));
  CHECK_FALSE(apus::from_hex("0"));
  CHECK_FALSE(apus::from_hex("0g"));
  CHECK(apus::constant_time_equal("a", "a"));
  CHECK_FALSE(apus::constant_time_equal("a", "b"));
}
