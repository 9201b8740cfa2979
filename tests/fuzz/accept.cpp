// Accept headers: any bytes, a choice or a refusal.
#include <apus/accept.h>

#include <array>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr std::array<std::string_view, 2> kTypes = {"text/plain", "application/json"};
  const auto choice =
      apus::choose_type({reinterpret_cast<const char*>(data), size}, std::span(kTypes));
  if (choice.malformed == choice.best.has_value() && choice.malformed) __builtin_trap();
  return 0;
}
