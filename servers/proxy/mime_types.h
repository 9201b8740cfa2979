// The type of an object that came without one, guessed by its name.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace apus {

/// Built-in types, under those of the machine's mime.types files and of swift_dir/mime.types.
/// Immutable.
class MimeTypes {
 public:
  explicit MimeTypes(const std::filesystem::path& swift_dir);
  /// Adds the lines "type extension..." of a file; '#' begins a comment. Nothing when there is
  /// none.
  void read(const std::filesystem::path& file);
  /// Empty when the name tells nothing. "a.tar.gz" is what "a.tar" is.
  [[nodiscard]] std::string guess(std::string_view path) const;

 private:
  [[nodiscard]] const std::string* find(const std::string& extension) const;

  std::map<std::string, std::string, std::less<>> types_;  // by extension with its dot
};

}  // namespace apus
