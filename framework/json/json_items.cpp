#include "framework/json/json_items.h"

namespace apus {
namespace {

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// Past the string whose opening quote is at `at`; past the text when it does not end.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  const std::size_t begin = at + 1;
  for (at = text.find('"', begin); at < text.size(); at = text.find('"', at + 1)) {
    std::size_t escapes = 0;
    while (at - escapes > begin && text[at - escapes - 1] == '\\') ++escapes;
    if (escapes % 2 == 0) return at + 1;
  }
  return text.size() + 1;
}

// Where the item that begins at `at` ends: at a comma or at the end of the text. Nothing when it
// has quotes or brackets without their other half.
std::optional<std::size_t> end_of_item(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size() && (depth > 0 || text[at] != ',')) {
    switch (text[at]) {
      case '"':
        at = end_of_string(text, at);
        continue;
      case '[':
      case '{':
        ++depth;
        break;
      case ']':
      case '}':
        if (depth == 0) return std::nullopt;
        --depth;
        break;
      default:
        break;
    }
    ++at;
  }
  return depth == 0 && at <= text.size() ? std::optional(at) : std::nullopt;
}

}  // namespace

std::optional<std::vector<std::string_view>> json_items(std::string_view list, std::size_t most) {
  list = without_blanks(list);
  if (list.size() < 2 || list.front() != '[' || list.back() != ']') return std::nullopt;
  list = list.substr(1, list.size() - 2);
  std::vector<std::string_view> out;
  if (without_blanks(list).empty()) return out;
  for (std::size_t at = 0; at <= list.size();) {
    const auto end = end_of_item(list, at);
    if (!end || out.size() == most) return std::nullopt;
    out.push_back(without_blanks(list.substr(at, *end - at)));
    at = *end + 1;
  }
  return out;
}

}  // namespace apus
