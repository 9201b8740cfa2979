// The hash that a database keeps of its rows, whatever their order: the XOR of
// MD5("name-timestamp") of each (Swift's chexor).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace apus {

class RowHash {
 public:
  /// Of no rows.
  RowHash() = default;
  /// From 32 hex digits; nothing when it is not.
  static std::optional<RowHash> parse(std::string_view hex);

  /// Takes a row in, or out again.
  void mix(std::string_view name, std::string_view timestamp);
  /// The same with all rows of another.
  void mix(const RowHash& rows);
  [[nodiscard]] std::string hex() const;

 private:
  void mix_bytes(std::string_view bytes);

  std::array<char, 16> bytes_{};
};

}  // namespace apus
