// Keystone's answers about tokens, and what the cache keeps of them.
#include <cstdint>
#include <cstdlib>
#include <string_view>

// The filter is a shared object of its own; its parsers are compiled in here.
#include "middleware/authtoken/keystone.cpp"

using namespace apus::authtoken;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto verdict = parse_token(text)) {
    if (verdict->kind != Verdict::Kind::kValid || verdict->identity.user_id.empty()) std::abort();
    const auto kept = parse_verdict(to_json(*verdict));
    if (!kept || kept->expires != verdict->expires ||
        kept->identity.roles.size() != verdict->identity.roles.size())
      std::abort();
  }
  if (const auto verdict = parse_verdict(text)) {
    const auto again = parse_verdict(to_json(*verdict));
    if (!again || again->kind != verdict->kind || again->identity.roles != verdict->identity.roles)
      std::abort();
  }
  return 0;
}
