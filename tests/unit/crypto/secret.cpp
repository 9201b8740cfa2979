#include <apus/secret.h>
#include <doctest/doctest.h>

#include <string>
#include <utility>

using apus::Secret;

TEST_CASE("wiping overwrites what a string holds, and what lies behind its end") {
  std::string text(100, 'k');
  text.resize(50);
  const char* bytes = text.data();
  const std::size_t capacity = text.capacity();
  apus::wipe(text);
  CHECK(text.empty());
  REQUIRE(text.data() == bytes);
  text.resize(capacity);  // no bytes are moved: the capacity was kept
  REQUIRE(text.data() == bytes);
  CHECK(std::string(100, 'k').find(text.substr(0, 1)) == std::string::npos);
}

TEST_CASE("a secret takes its bytes and leaves none behind") {
  for (const std::size_t size : {8U, 32U, 200U}) {
    std::string text(size, 's');
    Secret one(std::move(text));
    CHECK(text.empty());
    CHECK(one.bytes() == std::string(size, 's'));
    Secret two(one);
    Secret three(std::move(one));
    CHECK(one.empty());
    CHECK(two.bytes() == three.bytes());
    two = Secret(std::string("other"));
    CHECK(two.bytes() == "other");
    two = three;
    CHECK(two.size() == size);
  }
}
