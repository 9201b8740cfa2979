// Tokens as any writer of the shared cache may have left them: a grant that is whole, or none.
#include <apus/local_cache.h>
#include <apus/testing/host.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

// The filter is a shared object of its own; its tokens are compiled in here.
#include "middleware/tempauth/tokens.cpp"

using namespace apus;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static testing::TestHost host;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto cache = make_local_cache(host.clock(), 100);
  const tempauth::Tokens tokens(host, "AUTH_", std::chrono::seconds(60));
  cache->set("AUTH_/token/t", text, std::chrono::seconds(60));
  cache->set("AUTH_/user/u", text, std::chrono::seconds(60));
  apus::ForeseenKeys foreseen;
  const auto grant = tokens.find(*cache, foreseen, "t");
  if (grant && (grant->groups.empty() || grant->end < host.clock().now())) std::abort();
  const auto issued = tokens.issue(*cache, "u", {"a", "b"});
  if (!issued || !tokens.find(*cache, foreseen, issued->token)) std::abort();
  return 0;
}
