// What a tempurl's query says: expiry, ranges of addresses, the query itself.
#include <cstdint>
#include <cstdlib>
#include <string_view>

// The filter is a shared object of its own; its two parsers are compiled in here.
#include "middleware/tempurl/ip_range.cpp"
#include "middleware/tempurl/tempurl_query.cpp"

using namespace apus;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (tempurl::parse_expires(bytes) < 0) std::abort();
  const std::string_view address = bytes.substr(0, size / 2);
  const bool inside = tempurl::in_ip_range(bytes.substr(size / 2), address);
  // An address that lies in some range lies in the one of itself alone.
  if (inside && !tempurl::in_ip_range(address, address)) std::abort();
  const Query query(bytes);
  const tempurl::TempurlQuery link(query);
  if (link.expires && *link.expires < 0) std::abort();
  return 0;
}
