// What the shared cache says of accounts and containers: taken, written and taken again it is the
// same.
#include <apus/account_info.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto account = apus::parse_account_info(text)) {
    const auto again = apus::parse_account_info(apus::to_json(*account));
    if (!again || apus::to_json(*again) != apus::to_json(*account)) std::abort();
  }
  if (const auto container = apus::parse_container_info(text)) {
    const auto again = apus::parse_container_info(apus::to_json(*container));
    if (!again || apus::to_json(*again) != apus::to_json(*container)) std::abort();
  }
  return 0;
}
