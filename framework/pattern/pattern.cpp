#include <apus/pattern.h>
#include <re2/re2.h>

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

}  // namespace apus
