#include <apus/accept.h>

#include <algorithm>
#include <charconv>
#include <vector>

namespace apus {
namespace {

struct Accepted {
  std::string_view type;
  std::string_view subtype;
  double quality = 1;
  [[nodiscard]] bool exact() const { return type != "*" && subtype != "*"; }
  [[nodiscard]] bool fits(std::string_view option) const {
    const std::size_t slash = option.find('/');
    return (type == "*" || type == option.substr(0, slash)) &&
           (subtype == "*" || subtype == option.substr(slash + 1));
  }
};

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool is_token(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != 0x7f &&
         std::string_view("()<>@,;:\"/[]?={}").find(c) == std::string_view::npos;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : left_(text) {}
  void blanks() {
    while (!left_.empty() && is_blank(left_.front())) left_.remove_prefix(1);
  }
  bool take(char c) {
    if (!left_.starts_with(c)) return false;
    left_.remove_prefix(1);
    return true;
  }
  std::string_view token() {
    std::size_t size = 0;
    while (size < left_.size() && is_token(left_[size])) ++size;
    return cut(size);
  }
  // With its quotes; empty when it is none. What would confuse a splitter is not taken.
  std::string_view quoted() {
    if (!left_.starts_with('"')) return {};
    for (std::size_t i = 1; i < left_.size(); ++i) {
      if (left_[i] == '"') return cut(i + 1);
      if (left_[i] == ';' || left_[i] == '=') return {};
      if (left_[i] == '\\') ++i;
    }
    return {};
  }
  [[nodiscard]] bool done() const { return left_.empty(); }

 private:
  std::string_view cut(std::size_t size) {
    const std::string_view out = left_.substr(0, size);
    left_.remove_prefix(size);
    return out;
  }
  std::string_view left_;
};

bool parse_quality(std::string_view text, double& out) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

// "type/subtype[;name=value]..."
std::optional<Accepted> parse_accepted(std::string_view piece) {
  Scanner scan(piece);
  Accepted out;
  scan.blanks();
  out.type = scan.token();
  if (out.type.empty() || !scan.take('/')) return std::nullopt;
  out.subtype = scan.token();
  if (out.subtype.empty()) return std::nullopt;
  bool has_quality = false;
  for (scan.blanks(); !scan.done(); scan.blanks()) {
    if (!scan.take(';')) return std::nullopt;
    scan.blanks();
    const std::string_view name = scan.token();
    scan.blanks();
    if (name.empty() || !scan.take('=')) return std::nullopt;
    scan.blanks();
    std::string_view value = scan.token();
    if (value.empty()) value = scan.quoted();
    if (value.empty()) return std::nullopt;
    if (name != "q") continue;
    if (has_quality || !parse_quality(value, out.quality)) return std::nullopt;
    has_quality = true;
  }
  return out;
}

}  // namespace

AcceptChoice choose_type(std::string_view header, std::span<const std::string_view> options) {
  std::vector<Accepted> all;
  while (!header.empty()) {
    const std::size_t comma = header.find(',');
    const auto accepted = parse_accepted(header.substr(0, comma));
    if (!accepted) return {true, std::nullopt};
    all.push_back(*accepted);
    if (comma == std::string_view::npos) break;
    header.remove_prefix(comma + 1);
    if (header.empty()) return {true, std::nullopt};
  }
  if (all.empty() && !options.empty()) return {false, 0};
  std::stable_sort(all.begin(), all.end(), [](const Accepted& a, const Accepted& b) {
    return a.quality != b.quality ? a.quality > b.quality : a.exact() && !b.exact();
  });
  for (const Accepted& accepted : all) {
    for (std::size_t i = 0; i < options.size(); ++i) {
      if (accepted.fits(options[i])) return {false, i};
    }
  }
  return {false, std::nullopt};
}

}  // namespace apus
