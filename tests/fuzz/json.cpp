// JSON: what is taken is printed and taken again as the same value.
#include <apus/json.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

using apus::Json;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = Json::parse({reinterpret_cast<const char*>(data), size});
  if (!value) return 0;
  const std::string text = value->dump();
  const auto again = Json::parse(text);
  if (!again || again->dump() != text) std::abort();
  return 0;
}
