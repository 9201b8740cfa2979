#include "tests/unit/house/type_scanner.h"

#include <algorithm>
#include <cctype>
#include <optional>

namespace apus::test {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

class Tokenizer {
 public:
  Tokenizer(std::string_view source, bool with_directives)
      : source_(source), with_directives_(with_directives) {}

  std::vector<std::string> run() {
    while (at_ < source_.size()) step();
    return std::move(out_);
  }

 private:
  bool starts(std::string_view text) const { return source_.substr(at_).starts_with(text); }

  void step() {
    const char c = source_[at_];
    if (c == '\n') line_start_ = true;
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++at_;
    } else if (starts("//")) {
      at_ = std::min(source_.find('\n', at_), source_.size());
    } else if (starts("/*")) {
      skip_past("*/", at_ + 2);
    } else if (c == '#' && line_start_) {
      directive();
    } else {
      line_start_ = false;
      token(c);
    }
  }

  void token(char c) {
    const std::size_t from = at_;
    if (starts("R\"")) {
      const std::size_t open = source_.find('(', at_);
      const std::string close = ")" + std::string(source_.substr(at_ + 2, open - at_ - 2)) + "\"";
      skip_past(close, open);
    } else if (is_word(c)) {
      // A quote within a number separates digits.
      while (at_ < source_.size() && (is_word(source_[at_]) || digit_separator(from))) ++at_;
    } else if (c == '"' || c == '\'') {
      literal(c);
    } else {
      at_ += starts("::") ? 2 : 1;
    }
    out_.emplace_back(source_.substr(from, at_ - from));
  }

  bool digit_separator(std::size_t from) const {
    return source_[at_] == '\'' && std::isdigit(static_cast<unsigned char>(source_[from])) != 0;
  }
  void literal(char quote) {
    for (++at_; at_ < source_.size() && source_[at_] != quote; ++at_) {
      if (source_[at_] == '\\') ++at_;
    }
    at_ = std::min(at_ + 1, source_.size());
  }
  void skip_past(std::string_view text, std::size_t from) {
    const std::size_t found = source_.find(text, from);
    at_ = found == std::string_view::npos ? source_.size() : found + text.size();
  }
  void directive() {
    std::string line;
    for (; at_ < source_.size() && (source_[at_] != '\n' || line.ends_with('\\')); ++at_)
      line += source_[at_];
    if (with_directives_) out_.push_back(line.substr(0, line.find("//")));
  }

  std::string_view source_;
  bool with_directives_;
  std::size_t at_ = 0;
  bool line_start_ = true;
  std::vector<std::string> out_;
};

class TypeFinder {
 public:
  explicit TypeFinder(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {}

  std::vector<std::string> run() {
    for (at_ = 0; at_ < tokens_.size(); ++at_) step(tokens_[at_]);
    return std::move(found_);
  }

 private:
  // A scope whose names can be seen from other files has a name, possibly empty; others none.
  using Scope = std::optional<std::string>;

  void step(const std::string& token) {
    if (token == "namespace") {
      open_namespace();
    } else if (token == "extern" && next(1).starts_with('"') && next(2) == "{") {
      scopes_.emplace_back("");
      at_ += 2;
    } else if (token == "class" || token == "struct" || token == "union" || token == "enum") {
      type();
    } else if (token == "{") {
      scopes_.emplace_back(std::nullopt);
    } else if (token == "}" && !scopes_.empty()) {
      scopes_.pop_back();
    }
  }

  const std::string& next(std::size_t ahead) const {
    static const std::string none;
    return at_ + ahead < tokens_.size() ? tokens_[at_ + ahead] : none;
  }

  void open_namespace() {
    std::string name;
    std::size_t ahead = 1;
    for (; is_word(next(ahead).empty() ? ' ' : next(ahead)[0]) || next(ahead) == "::"; ++ahead)
      name += next(ahead);
    if (next(ahead) != "{") return;  // an alias, or `using namespace`
    scopes_.push_back(name.empty() ? Scope() : Scope(name));
    at_ += ahead;
  }

  void type() {
    std::size_t ahead = 1;
    if (next(ahead) == "class" || next(ahead) == "struct") ++ahead;  // enum class
    std::string name;
    for (; next(ahead) == "::" || (!next(ahead).empty() && is_word(next(ahead)[0])); ++ahead) {
      const std::string& word = next(ahead);
      const bool macro = std::all_of(word.begin(), word.end(), [](char c) {
        return std::isupper(static_cast<unsigned char>(c)) != 0 || c == '_';
      });
      if (word == "final" || (macro && word.size() > 1)) continue;
      if (!name.empty() && word != "::" && !name.ends_with("::")) return;  // `struct stat info`
      name += word;
    }
    if (next(ahead) == ":") {
      while (next(ahead) != "{" && next(ahead) != ";" && !next(ahead).empty()) ++ahead;
    }
    if (next(ahead) != "{") return;
    at_ += ahead;
    enter(name);
  }

  void enter(const std::string& name) {
    const bool seen = std::all_of(scopes_.begin(), scopes_.end(),
                                  [](const Scope& scope) { return scope.has_value(); });
    if (seen && !name.empty()) {
      std::string whole;
      for (const Scope& scope : scopes_) whole += scope->empty() ? "" : *scope + "::";
      found_.push_back(whole + name);
    }
    scopes_.push_back(name.empty() ? Scope() : Scope(name));
  }

  std::vector<std::string> tokens_;
  std::size_t at_ = 0;
  std::vector<Scope> scopes_;
  std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> tokens_of(std::string_view source, bool with_directives) {
  return Tokenizer(source, with_directives).run();
}

std::vector<std::string> types_of(std::string_view source) {
  return TypeFinder(tokens_of(source)).run();
}

}  // namespace apus::test
