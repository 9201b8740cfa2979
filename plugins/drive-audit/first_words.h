// The words at the front of a line: of a log, of /proc/mounts, of fstab.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace apus {

/// The first N words between blanks and tabs, as views into `line`; empty where it has fewer.
template <std::size_t N>
std::array<std::string_view, N> first_words(std::string_view line) {
  std::array<std::string_view, N> out;
  for (std::string_view& word : out) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    word = line.substr(0, line.find_first_of(" \t"));
    line.remove_prefix(word.size());
  }
  return out;
}

}  // namespace apus
