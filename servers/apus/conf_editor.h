// Changes single options of a conf file and leaves every other byte alone: the files are a
// person's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace apus {

/// The text of an INI file, edited by line. One thread.
class ConfEditor {
 public:
  explicit ConfEditor(std::string_view text);

  /// Replaces the value of `key` in `[section]`, adding the line at the section's end, or the
  /// section at the file's end, when they are not there. Throws std::invalid_argument for a value
  /// with a line break.
  void set(std::string_view section, std::string_view key, std::string_view value);
  /// True when the section has the key.
  [[nodiscard]] bool has(std::string_view section, std::string_view key) const;
  [[nodiscard]] std::string text() const;

 private:
  struct Place {
    std::size_t section_end = std::string::npos;  ///< line after the section's last option
    std::size_t line = std::string::npos;         ///< the key's line
  };
  [[nodiscard]] Place find(std::string_view section, std::string_view key) const;

  std::vector<std::string> lines_;
};

}  // namespace apus
