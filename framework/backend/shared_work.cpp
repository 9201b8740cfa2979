#include "framework/backend/shared_work.h"

#include <charconv>

namespace apus {

std::int64_t share_of(std::string_view hex_digest, std::int64_t divisor) {
  std::int64_t out = 0;
  for (const char& digit : hex_digest) {
    int value = 0;
    std::from_chars(&digit, &digit + 1, value, 16);
    out = (out * 16 + value) % divisor;
  }
  return out;
}

}  // namespace apus
