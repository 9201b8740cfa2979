#include <apus/headers.h>
#include <apus/text.h>

#include <algorithm>
#include <charconv>

namespace apus {
namespace {

constexpr bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-' || c == '~';
}

constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string encode(std::string_view bytes, std::string_view safe, bool plus) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  const auto stays = [safe](char c) {
    return is_unreserved(c) || safe.find(c) != std::string_view::npos;
  };
  const auto* first = std::find_if_not(bytes.begin(), bytes.end(), stays);
  std::string out(bytes.begin(), first);
  if (first == bytes.end()) return out;
  out.reserve(bytes.size() + 32);
  for (const char c : bytes.substr(out.size())) {
    if (stays(c)) {
      out += c;
    } else if (plus && c == ' ') {
      out += '+';
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
    }
  }
  return out;
}

std::string decode(std::string_view text, bool plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high >= 0 && low >= 0) {
        out += static_cast<char>(high * 16 + low);
        i += 2;
        continue;
      }
    }
    out += plus && text[i] == '+' ? ' ' : text[i];
  }
  return out;
}

// Length of the UTF-8 sequence that starts the text, 0 when malformed.
std::size_t sequence_length(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return s.size() >= 2 && tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (s.size() < 3 || !tail(1) || !tail(2)) return 0;
    if (first == 0xE0 && byte(1) < 0xA0) return 0;
    if (first == 0xED && byte(1) > 0x9F) return 0;
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (s.size() < 4 || !tail(1) || !tail(2) || !tail(3)) return 0;
    if (first == 0xF0 && byte(1) < 0x90) return 0;
    if (first == 0xF4 && byte(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

}  // namespace

std::string quote(std::string_view bytes, std::string_view safe) {
  return encode(bytes, safe, false);
}
std::string quote_plus(std::string_view bytes, std::string_view safe) {
  return encode(bytes, safe, true);
}
std::string unquote(std::string_view text) { return decode(text, false); }
std::string unquote_plus(std::string_view text) { return decode(text, true); }

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t length = sequence_length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

bool is_true(std::string_view text) {
  static constexpr std::array<std::string_view, 6> kTrue = {"true", "1", "yes", "on", "t", "y"};
  return std::any_of(kTrue.begin(), kTrue.end(),
                     [text](std::string_view word) { return same_name(text, word); });
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::vector<std::string> split_list(std::string_view text, char separator) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string_view piece = trim(text.substr(0, end));
    if (!piece.empty()) out.emplace_back(piece);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

std::string python_repr(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  const bool has_single = text.find('\'') != std::string_view::npos;
  const char mark = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string out(1, mark);
  for (const char c : text) {
    if (c == mark || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n' || c == '\r' || c == '\t') {
      out += {'\\', c == '\n' ? 'n' : (c == '\r' ? 'r' : 't')};
    } else if ((c >= 0 && c < ' ') || c == 0x7f) {
      out += {'\\', 'x', kHex[static_cast<unsigned char>(c) >> 4U], kHex[c & 15]};
    } else {
      out += c;
    }
  }
  return out + mark;
}

std::optional<std::int64_t> parse_digits(std::string_view text) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;  // no sign
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_int(std::string_view text) {
  text = trim(text);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.starts_with('_') || text.ends_with('_') || text.find("__") != std::string_view::npos) {
    return std::nullopt;
  }
  std::string digits(text);
  std::erase(digits, '_');
  const auto value = parse_digits(digits);
  if (!value) return std::nullopt;
  return negative ? -*value : *value;
}

std::optional<ApiPath> split_api_path(std::string_view path, int min_pieces) {
  if (!path.starts_with('/')) return std::nullopt;
  path.remove_prefix(1);
  ApiPath out;
  int count = 0;
  for (std::string_view* piece : {&out.version, &out.account, &out.container}) {
    const std::size_t end = std::min(path.find('/'), path.size());
    *piece = path.substr(0, end);
    if (piece->empty()) {
      if (end != path.size()) return std::nullopt;
      path = {};
      break;
    }
    ++count;
    path.remove_prefix(std::min(end + 1, path.size()));
    if (path.empty()) break;
  }
  out.object = path;
  if (!path.empty()) ++count;
  if (count < min_pieces) return std::nullopt;
  return out;
}

std::optional<ObjectName> parse_object_name(std::string_view quoted) {
  const std::string plain = unquote(quoted);
  std::string_view rest = plain;
  if (rest.starts_with('/')) rest.remove_prefix(1);
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == rest.size())
    return std::nullopt;
  return ObjectName{std::string(rest.substr(0, slash)), std::string(rest.substr(slash + 1))};
}

namespace {

// The text up to the next ';' that is not within double quotes; taken off the front of `rest`.
std::string_view take_parameter(std::string_view& rest) {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < rest.size() && (quoted || rest[end] != ';'); ++end) {
    if (rest[end] == '\\' && quoted && end + 1 < rest.size()) {
      ++end;
    } else if (rest[end] == '"') {
      quoted = !quoted;
    }
  }
  const std::string_view out = trim(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return out;
}

std::string unquote_parameter(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  std::string out;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] == '\\' && i + 2 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

}  // namespace

ParameterizedValue parse_parameterized(std::string_view text) {
  ParameterizedValue out;
  out.value = take_parameter(text);
  while (!text.empty()) {
    const std::string_view piece = take_parameter(text);
    const std::size_t equals = piece.find('=');
    if (equals == std::string_view::npos) continue;
    out.parameters.emplace_back(lower(trim(piece.substr(0, equals))),
                                unquote_parameter(trim(piece.substr(equals + 1))));
  }
  return out;
}

std::string_view unquote_etag(std::string_view etag) {
  if (etag.size() < 2 || etag.front() != '"' || etag.back() != '"') return etag;
  return etag.substr(1, etag.size() - 2);
}

Query::Query() = default;
Query::Query(const Query&) = default;
Query::Query(Query&&) noexcept = default;
Query& Query::operator=(const Query&) = default;
Query& Query::operator=(Query&&) noexcept = default;
Query::~Query() = default;

Query::Query(std::string_view raw) {
  while (!raw.empty()) {
    const std::size_t end = std::min(raw.find('&'), raw.size());
    const std::string_view pair = raw.substr(0, end);
    raw.remove_prefix(std::min(end + 1, raw.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    pairs_.emplace_back(unquote_plus(pair.substr(0, equals)), unquote_plus(value));
  }
}

const std::string* Query::find(std::string_view name) const {
  const auto at = std::find_if(pairs_.rbegin(), pairs_.rend(),
                               [&](const Pair& pair) { return pair.first == name; });
  return at == pairs_.rend() ? nullptr : &at->second;
}

std::string_view Query::get(std::string_view name, std::string_view fallback) const {
  const std::string* value = find(name);
  return value != nullptr ? std::string_view(*value) : fallback;
}

void Query::set(std::string_view name, std::string_view value) {
  erase(name);
  pairs_.emplace_back(name, value);
}

void Query::erase(std::string_view name) {
  std::erase_if(pairs_, [&](const Pair& pair) { return pair.first == name; });
}

std::string Query::encode() const {
  std::string out;
  for (const auto& [name, value] : pairs_) {
    if (!out.empty()) out += '&';
    out += quote_plus(name) + "=" + quote_plus(value);
  }
  return out;
}

}  // namespace apus
