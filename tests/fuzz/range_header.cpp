// Range headers: every part lies within the entity.
#include <apus/conditional.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::uint64_t length = 0;
  if (size < sizeof length) return 0;
  std::memcpy(&length, data, sizeof length);
  const std::string_view text(reinterpret_cast<const char*>(data) + sizeof length,
                              size - sizeof length);
  const auto ranges = apus::parse_range(text, length);
  if (!ranges) return 0;
  if (ranges->size() > 50) std::abort();
  for (const apus::ByteRange& range : *ranges) {
    if (range.first > range.last || range.last >= length) std::abort();
  }
  return 0;
}
