#include "framework/conf/python_text.h"

#include <algorithm>
#include <array>

namespace apus {
namespace {

constexpr std::string_view kAscii(" \t\n\v\f\r\x1c\x1d\x1e\x1f", 10);
constexpr std::string_view kLatin1("\x85\xa0", 2);
constexpr std::array<std::string_view, 8> kUtf8 = {"\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80",
                                                   "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
                                                   "\xe2\x81\x9f", "\xe3\x80\x80"};

// U+2000 to U+200A: E2 80 80 to E2 80 8A.
bool is_quad(std::string_view three) {
  return three.size() == 3 && three.starts_with("\xe2\x80") &&
         static_cast<unsigned char>(three[2]) >= 0x80 &&
         static_cast<unsigned char>(three[2]) <= 0x8a;
}

std::size_t trailing_blank(std::string_view text, bool latin1) {
  if (text.empty()) return 0;
  if (kAscii.find(text.back()) != std::string_view::npos) return 1;
  if (latin1) return kLatin1.find(text.back()) != std::string_view::npos ? 1 : 0;
  if (text.size() >= 3 && is_quad(text.substr(text.size() - 3))) return 3;
  const auto* blank = std::find_if(kUtf8.begin(), kUtf8.end(),
                                   [&](std::string_view b) { return text.ends_with(b); });
  return blank == kUtf8.end() ? 0 : blank->size();
}

}  // namespace

std::size_t leading_blank(std::string_view text, bool latin1) {
  if (text.empty()) return 0;
  if (kAscii.find(text.front()) != std::string_view::npos) return 1;
  if (latin1) return kLatin1.find(text.front()) != std::string_view::npos ? 1 : 0;
  if (is_quad(text.substr(0, 3))) return 3;
  const auto* blank = std::find_if(kUtf8.begin(), kUtf8.end(),
                                   [&](std::string_view b) { return text.starts_with(b); });
  return blank == kUtf8.end() ? 0 : blank->size();
}

std::string_view strip_blanks(std::string_view text, bool latin1) {
  while (const std::size_t size = leading_blank(text, latin1)) text.remove_prefix(size);
  while (const std::size_t size = trailing_blank(text, latin1)) text.remove_suffix(size);
  return text;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
  const std::string_view line = text.substr(0, end);
  const std::size_t ending = text.substr(end).starts_with("\r\n") ? 2 : 1;
  text.remove_prefix(std::min(end + ending, text.size()));
  return line;
}

}  // namespace apus
