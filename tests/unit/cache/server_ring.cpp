#include "framework/cache/server_ring.h"

#include <apus/digest.h>
#include <doctest/doctest.h>

using namespace apus;

namespace {

using Places = std::vector<std::size_t>;

Places places(const std::string& key, std::size_t tries = 3) {
  static const ServerRing ring({"10.0.0.1:11211", "10.0.0.2:11211", "[::1]:11212", "host"});
  return ring.choose(md5_hex(key), tries);
}

}  // namespace

// As MemcacheRing of Swift 2.30.1 orders them.
TEST_CASE("server ring: the servers of a key, in Swift's order") {
  CHECK(places("a") == Places{1, 2, 0});
  CHECK(places("account/AUTH_test") == Places{0, 3, 2});
  CHECK(places("container/AUTH_test/c") == Places{1, 3, 0});
  CHECK(places("shard") == Places{2, 0, 3});
  CHECK(places(std::string(300, 'x')) == Places{2, 3, 1});
  CHECK(places("caf\xc3\xa9") == Places{2, 1, 0});
  CHECK(places("k1") == Places{1, 3, 0});
  CHECK(places("k2") == Places{3, 1, 0});
  CHECK(places("k3") == Places{0, 1, 2});
  CHECK(places("k4") == Places{1, 3, 0});
  CHECK(places("k5") == Places{1, 0, 2});
}

TEST_CASE("server ring: fewer tries, fewer servers") {
  CHECK(places("a", 1) == Places{1});
  CHECK(places("a", 9).size() == 4);
  CHECK(ServerRing({"one"}).choose(md5_hex("a"), 3) == Places{0});
  CHECK(ServerRing({}).choose(md5_hex("a"), 3).empty());
}
