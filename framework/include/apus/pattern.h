// Regular expressions that a deployer writes, matched in a time linear in the text.
#pragma once

#include <apus/abi.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace apus {

/// Perl's syntax without look-around and back references. Works on bytes. Immutable, for all
/// threads.
class APUS_API Pattern {
 public:
  /// Throws std::runtime_error that says what is wrong with the expression.
  explicit Pattern(const std::string& expression);
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  /// True when some piece of the text fits.
  [[nodiscard]] bool found_in(std::string_view text) const;
  /// Of every piece that fits, from the left and without overlap: the expression's first group, or
  /// the whole piece when it has none. A piece that is empty is left out.
  [[nodiscard]] std::vector<std::string> pieces_of(std::string_view text) const;

 private:
  struct Compiled;
  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace apus
