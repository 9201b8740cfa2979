// A body that comes in pieces of a given size.
#pragma once

#include <apus/source.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>

namespace apus::fuzz {

/// `bytes` are the caller's and outlive it; `piece` is at least 1.
class Pieces final : public Source {
 public:
  Pieces(std::string_view bytes, std::size_t piece) : bytes_(bytes), piece_(piece) {}
  std::size_t read(std::span<char> out) override {
    const std::size_t count = std::min({out.size(), piece_, bytes_.size()});
    std::copy_n(bytes_.data(), count, out.data());
    bytes_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view bytes_;
  std::size_t piece_;
};

}  // namespace apus::fuzz
