#include "framework/store/object/object_place.h"

#include <apus/digest.h>

#include <algorithm>
#include <charconv>

namespace apus {

std::uint64_t partition_of_hash(std::string_view hash, int part_power) {
  std::uint32_t first = 0;
  const std::string_view digits = hash.substr(0, 8);
  std::from_chars(digits.data(), digits.data() + digits.size(), first, 16);
  return std::uint64_t{first} >> static_cast<unsigned>(32 - std::clamp(part_power, 0, 32));
}

std::string hash_of_name(const SwiftConf& conf, std::string_view name) {
  std::string text = conf.hash_prefix;
  text.append(name).append(conf.hash_suffix);
  return md5_hex(text);
}

}  // namespace apus
