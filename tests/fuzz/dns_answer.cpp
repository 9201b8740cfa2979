// Answers of name servers.
#include <apus/dns.h>

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  apus::parse_cname_answer({reinterpret_cast<const char*>(data), size});
  return 0;
}
