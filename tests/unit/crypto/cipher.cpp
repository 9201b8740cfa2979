#include <apus/cipher.h>
#include <apus/digest.h>
#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

using namespace apus;

namespace {

// NIST SP 800-38A, F.5.5.
const std::string kKey =
    *from_hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
const std::string kCounter = *from_hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
const std::string kPlain = *from_hex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
const std::string kSealed = *from_hex(
    "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
    "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6");

}  // namespace

TEST_CASE("AES-256-CTR gives NIST's bytes, whatever the pieces") {
  for (std::size_t piece = 1; piece <= kPlain.size(); ++piece) {
    CtrCipher cipher(kKey, kCounter);
    std::string out;
    for (std::size_t at = 0; at < kPlain.size(); at += piece)
      out += cipher.apply(std::string_view(kPlain).substr(at, piece));
    CHECK(out == kSealed);
  }
}

TEST_CASE("a cipher may start at any byte") {
  for (std::size_t at = 0; at <= kSealed.size(); ++at) {
    CtrCipher cipher(kKey, kCounter, at);
    CHECK(cipher.apply(std::string_view(kSealed).substr(at)) == kPlain.substr(at));
  }
}

TEST_CASE("the counter wraps at 2^128, carries, and takes offsets past 4 GiB") {
  const std::string last(16, '\xff');
  const std::string zero(16, '\0');
  CHECK(CtrCipher(kKey, last, 16).apply(kPlain) == CtrCipher(kKey, zero).apply(kPlain));
  const std::string carry = *from_hex("000000000000000000000000000000ff");
  const std::string carried = *from_hex("00000000000000000000000000000100");
  CHECK(CtrCipher(kKey, carry, 16).apply(kPlain) == CtrCipher(kKey, carried).apply(kPlain));
  const std::string far = *from_hex("000000000000000000000000fffffff0");
  CHECK(CtrCipher(kKey, far, (1ULL << 36U) + 3).apply(kPlain) ==
        CtrCipher(kKey, *from_hex("000000000000000000000001fffffff0"), 3).apply(kPlain));
  CHECK(CtrCipher(kKey, zero, UINT64_MAX).apply(kPlain).size() == kPlain.size());
}

TEST_CASE("keys and vectors of another size are refused") {
  CHECK_THROWS_AS(CtrCipher(kKey + "x", kCounter), std::invalid_argument);
  CHECK_THROWS_AS(CtrCipher("", kCounter), std::invalid_argument);
  CHECK_THROWS_AS(CtrCipher(kKey, ""), std::invalid_argument);
  CHECK_THROWS_AS(CtrCipher(kKey, kCounter + kCounter), std::invalid_argument);
}
