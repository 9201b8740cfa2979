// Which memcached server holds a key: Swift's ring of hashed points.
#pragma once

#include <apus/abi.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace apus {

class APUS_API ServerRing {
 public:
  explicit ServerRing(const std::vector<std::string>& servers);
  /// Up to `tries` different servers (places in the list given), the key's own first. `hashed_key`
  /// is 32 hex digits.
  [[nodiscard]] std::vector<std::size_t> choose(std::string_view hashed_key,
                                                std::size_t tries) const;

 private:
  std::vector<std::pair<std::string, std::size_t>> points_;  // by hash
  std::size_t servers_;
};

}  // namespace apus
