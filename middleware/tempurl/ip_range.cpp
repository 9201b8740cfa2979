#include "middleware/tempurl/ip_range.h"

#include <apus/text.h>
#include <arpa/inet.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace apus::tempurl {
namespace {

using Bits = std::vector<bool>;

// 32 or 128 bits.
std::optional<Bits> parse_address(std::string_view text) {
  unsigned char bytes[16];
  const std::string copy(text);
  const bool six = copy.find(':') != std::string::npos;
  if (copy.find('\0') != std::string::npos ||
      ::inet_pton(six ? AF_INET6 : AF_INET, copy.c_str(), bytes) != 1)
    return std::nullopt;
  Bits out;
  for (std::size_t i = 0; i < (six ? 16U : 4U); ++i) {
    for (unsigned bit = 8; bit > 0; --bit) out.push_back((bytes[i] >> (bit - 1) & 1U) != 0);
  }
  return out;
}

std::optional<std::size_t> parse_prefix(std::string_view text, std::size_t width) {
  if (const auto digits = parse_digits(text)) {
    if (*digits > static_cast<std::int64_t>(width)) return std::nullopt;
    return static_cast<std::size_t>(*digits);
  }
  const auto mask = width == 32 ? parse_address(text) : std::nullopt;
  if (!mask || mask->size() != width) return std::nullopt;
  const auto end = std::find(mask->begin(), mask->end(), false);
  if (std::find(end, mask->end(), true) != mask->end()) return std::nullopt;
  return static_cast<std::size_t>(end - mask->begin());
}

}  // namespace

bool in_ip_range(std::string_view range, std::string_view address) {
  const std::size_t slash = range.find('/');
  const auto base = parse_address(range.substr(0, slash));
  const auto given = parse_address(address);
  if (!base || !given || base->size() != given->size()) return false;
  const auto length = slash == std::string_view::npos
                          ? std::optional(base->size())
                          : parse_prefix(range.substr(slash + 1), base->size());
  if (!length) return false;
  const auto host = base->begin() + static_cast<std::ptrdiff_t>(*length);
  return std::find(host, base->end(), true) == base->end() &&
         std::equal(base->begin(), host, given->begin());
}

}  // namespace apus::tempurl
