#include <apus/pattern.h>
#include <re2/re2.h>

#include <array>
#include <stdexcept>

namespace apus {

struct Pattern::Compiled {
  explicit Compiled(const std::string& text) : expression(text, options()) {}
  static re2::RE2::Options options() {
    re2::RE2::Options out;
    out.set_encoding(re2::RE2::Options::EncodingLatin1);
    out.set_log_errors(false);
    return out;
  }
  re2::RE2 expression;
};

Pattern::Pattern(const std::string& expression)
    : compiled_(std::make_unique<const Compiled>(expression)) {
  if (!compiled_->expression.ok()) {
    throw std::runtime_error("'" + expression +
                             "' cannot be used: " + compiled_->expression.error());
  }
}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

bool Pattern::found_in(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), compiled_->expression);
}

std::vector<std::string> Pattern::pieces_of(std::string_view text) const {
  std::vector<std::string> out;
  const re2::RE2& expression = compiled_->expression;
  const bool grouped = expression.NumberOfCapturingGroups() > 0;
  const re2::StringPiece all(text.data(), text.size());
  std::array<re2::StringPiece, 2> found;
  std::size_t at = 0;
  while (at <= text.size() && expression.Match(all, at, text.size(), re2::RE2::UNANCHORED,
                                               found.data(), grouped ? 2 : 1)) {
    const re2::StringPiece& piece = found.at(grouped ? 1 : 0);
    if (!piece.empty()) out.emplace_back(piece.data(), piece.size());
    const auto end = static_cast<std::size_t>(found[0].data() - text.data()) + found[0].size();
    at = found[0].empty() ? end + 1 : end;
  }
  return out;
}

}  // namespace apus
