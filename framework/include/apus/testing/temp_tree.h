// A folder for one test.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace apus::testing {

/// An empty folder below the system's temporary one, removed with all it holds.
class TempTree {
 public:
  TempTree();
  TempTree(const TempTree&) = delete;
  TempTree& operator=(const TempTree&) = delete;
  ~TempTree();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Writes a file, its folders too; returns its path. Throws std::runtime_error.
  std::filesystem::path write(const std::filesystem::path& name, std::string_view bytes);
  /// Throws std::runtime_error when there is no such file.
  [[nodiscard]] std::string read(const std::filesystem::path& name) const;

 private:
  std::filesystem::path path_;
};

}  // namespace apus::testing
