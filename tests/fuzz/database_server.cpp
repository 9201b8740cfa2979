// Bodies that peers send to a real container server: replication calls, rows and shard ranges. Each
// has an answer, and the container stays readable.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "tests/unit/servers_database/fixture.h"

using namespace apus;
using namespace apus::test;

namespace {

constexpr int kUses = 200;  // of one store, so that it does not grow without end

struct Peer : Servers {
  Peer() { ask(*container, "PUT", "/d1/7/AUTH_a/c", at_time("10")); }
  std::string path = replicate_path("c");
};

void check(const Answer& answer) {
  if (answer.status < 200 || answer.status > 599) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::unique_ptr<Peer> peer;
  static int uses = 0;
  if (uses++ % kUses == 0) peer = std::make_unique<Peer>();
  const std::string body(reinterpret_cast<const char*>(data), size);
  check(peer->ask(*peer->container, "REPLICATE", peer->path, {}, body));
  check(peer->ask(*peer->container, "UPDATE", "/d1/7/AUTH_a/c", at_time("11"), body));
  check(peer->ask(*peer->container, "PUT", "/d1/7/AUTH_a/c",
                  {{"X-Timestamp", "12"}, {"X-Backend-Record-Type", "shard"}}, body));
  for (const char* format : {"format=json", "format=xml", ""}) {
    const Answer listing = peer->ask(*peer->container, "GET", "/d1/7/AUTH_a/c", {}, "", format);
    if (listing.status != 200 && listing.status != 204 && listing.status != 404) std::abort();
  }
  return 0;
}
