// The sources of this tree, as text.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace apus::test {

inline std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// Every .h and .cpp below a folder of the source tree (or that one file), sorted.
inline std::vector<std::filesystem::path> sources_below(const std::filesystem::path& folder) {
  const std::filesystem::path root = std::filesystem::path(APUS_SOURCE_DIR) / folder;
  if (std::filesystem::is_regular_file(root)) return {root};
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const auto extension = entry.path().extension();
    if (extension == ".h" || extension == ".cpp") out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace apus::test
