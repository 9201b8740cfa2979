#include <algorithm>
#include <array>
#include <charconv>

#include "framework/http/head.h"

namespace apus::http {
namespace {

constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (int c = 0; c < 256; ++c) {
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    table[static_cast<std::size_t>(c)] =
        alnum ||
        std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
  }
  return table;
}
constexpr std::array<bool, 256> kToken = make_token_table();

constexpr std::size_t kUsualFields = 24;

bool is_token(std::string_view text, bool high_bytes) {
  if (text.empty()) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return kToken[byte] || (high_bytes && byte >= 0x80);
  });
}

std::string_view strip(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool equals(std::string_view text, std::string_view word) { return same_name(text, word); }

// True when the comma list holds the word.
bool lists(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    if (equals(strip(list.substr(0, end)), word)) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

std::string_view take_line(std::string_view& head) {
  const std::size_t end = std::min(head.find("\r\n"), head.size());
  const std::string_view line = head.substr(0, end);
  head.remove_prefix(std::min(end + 2, head.size()));
  return line;
}

// False on a malformed line. obs-fold starts with a blank, which no name does.
bool parse_fields(std::string_view head, std::vector<FieldView>& fields) {
  fields.clear();
  fields.reserve(kUsualFields);
  while (!head.empty()) {
    const std::string_view line = take_line(head);
    if (line.empty()) return head.empty();
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return false;
    const FieldView field{line.substr(0, colon), strip(line.substr(colon + 1))};
    if (!is_token(field.name, true) || !is_sendable(field.value)) return false;
    fields.push_back(field);
  }
  return false;
}

struct FramingFields {
  std::optional<std::uint64_t> length;
  std::optional<std::string_view> coding;
  std::string_view expect;
  bool close = false;
  bool keep = false;
  bool broken = false;

  void add_length(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool number = !text.empty() && error == std::errc() && end == text.data() + text.size() &&
                        value <= static_cast<std::uint64_t>(INT64_MAX);
    if (!number || (length && *length != value)) broken = true;
    length = value;
  }

  void see(const FieldView& field) {
    // "Content_Length" would become "Content-Length" in the application: two readers, two lengths.
    switch (field.name.size()) {
      case 6:
        if (equals(field.name, "expect")) expect = field.value;
        break;
      case 10:
        if (equals(field.name, "connection")) {
          close = close || lists(field.value, "close");
          keep = keep || lists(field.value, "keep-alive");
        }
        break;
      case 14:
        if (equals(field.name, "content-length")) add_length(field.value);
        if (equals(field.name, "content_length")) broken = true;
        break;
      case 17:
        if (equals(field.name, "transfer-encoding")) {
          if (coding) broken = true;
          coding = field.value;
        }
        if (equals(field.name, "transfer_encoding")) broken = true;
        break;
      default:
        break;
    }
  }
};

// 0, 400 or 505; sets minor.
int parse_version(std::string_view version, int& minor) {
  if (!version.starts_with("HTTP/")) return 400;
  version.remove_prefix(5);
  const std::size_t dot = version.find('.');
  if (dot == 0 || dot == std::string_view::npos || dot + 1 == version.size()) return 400;
  const std::string_view major = version.substr(0, dot);
  const std::string_view rest = version.substr(dot + 1);
  const auto digits = [](std::string_view text) {
    return text.size() <= 4 && text.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (!digits(major) || !digits(rest)) return 400;
  int number = 0;
  std::from_chars(major.data(), major.data() + major.size(), number);
  std::from_chars(rest.data(), rest.data() + rest.size(), minor);
  if (number >= 2) return 505;
  return number == 1 ? 0 : 400;
}

// Origin form of an absolute target; empty when it is neither.
std::string_view origin_form(std::string_view target, std::string_view method) {
  if (target.starts_with('/')) return target;
  if (target == "*" && method == "OPTIONS") return target;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!starts_with_name(target, scheme)) continue;
    const std::size_t slash = target.find_first_of("/?", scheme.size());
    if (slash == scheme.size()) return {};
    if (slash == std::string_view::npos) return "/";
    return target[slash] == '/' ? target.substr(slash) : std::string_view();
  }
  return {};
}

int parse_request_line(std::string_view line, RequestHead& out) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return 400;
  out.method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  out.version = line.substr(last + 1);
  if (const int status = parse_version(out.version, out.minor)) return status;
  const bool clean = std::none_of(target.begin(), target.end(), [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
  });
  if (!clean || !is_token(out.method, false)) return 400;
  out.target = origin_form(target, out.method);
  return out.target.empty() ? 400 : 0;
}

int judge_framing(const FramingFields& framing, RequestHead& out) {
  if (framing.broken) return 400;
  out.content_length = framing.length;
  out.chunked = false;
  if (framing.coding) {
    if (framing.coding->find(',') != std::string_view::npos) return 501;
    if (!equals(*framing.coding, "chunked") || framing.length || out.minor == 0) return 400;
    out.chunked = true;
  }
  out.expect_continue = out.minor >= 1 && equals(framing.expect, "100-continue");
  out.keep_alive = !framing.close && (out.minor >= 1 || framing.keep);
  return 0;
}

}  // namespace

bool is_sendable(std::string_view value) {
  // Most values have no control character at all, which is seen for many bytes at once.
  unsigned char lowest = 0xff;
  for (const char c : value) lowest = std::min(lowest, static_cast<unsigned char>(c));
  return lowest > '\r' || value.find_first_of(std::string_view("\r\n\0", 3)) == value.npos;
}

bool is_hosts_own(std::string_view name) {
  switch (name.size()) {
    case 4:
      return same_name(name, "date");
    case 10:
      return same_name(name, "connection") || same_name(name, "keep-alive");
    case 14:
      return same_name(name, "content-length");
    case 17:
      return same_name(name, "transfer-encoding");
    default:
      return false;
  }
}

int parse_request_head(std::string_view head, RequestHead& out) {
  if (const int status = parse_request_line(take_line(head), out)) return status;
  if (!parse_fields(head, out.fields)) return 400;
  FramingFields framing;
  for (const auto& field : out.fields) framing.see(field);
  return judge_framing(framing, out);
}

bool parse_response_head(std::string_view head, ResponseHead& out) {
  const std::string_view line = take_line(head);
  if (line.size() < 12 || !line.starts_with("HTTP/1.") || line[8] != ' ') return false;
  if (line[7] < '0' || line[7] > '9' || (line.size() > 12 && line[12] != ' ')) return false;
  const std::string_view digits = line.substr(9, 3);
  if (digits.find_first_not_of("0123456789") != std::string_view::npos || digits[0] == '0') {
    return false;
  }
  std::from_chars(digits.data(), digits.data() + 3, out.status);
  out.reason = line.size() > 13 ? line.substr(13) : std::string_view();
  if (!is_sendable(out.reason)) return false;
  if (!parse_fields(head, out.fields)) return false;
  FramingFields framing;
  for (const auto& field : out.fields) framing.see(field);
  const bool unknown_coding = framing.coding && !equals(*framing.coding, "chunked");
  if (framing.broken || unknown_coding || (framing.coding && framing.length)) return false;
  out.content_length = framing.length;
  out.chunked = framing.coding.has_value();
  out.keep_alive = !framing.close && (line[7] >= '1' || framing.keep);
  return true;
}

void fill_request(const RequestHead& head, bool trusted, Request& request) {
  request.method = head.method;
  const std::size_t mark = std::min(head.target.find('?'), head.target.size());
  request.raw_path = head.target.substr(0, mark);
  request.path = unquote(request.raw_path);
  request.raw_query = head.target.substr(std::min(mark + 1, head.target.size()));
  request.query = Query(request.raw_query);
  request.protocol = head.version;
  request.content_length = head.content_length;
  request.chunked = head.chunked;
  for (const auto& field : head.fields) {
    std::string name = title_case(field.name);
    const bool inside = trusted && (is_internal_name(name) || name == "X-Timestamp");
    Headers& target = inside ? request.internal : request.headers;
    if (name == "Content-Length" && target.has(name)) continue;  // equal, or it was refused
    target.add_spelled(std::move(name), field.value);
  }
}

void fill_response(const ResponseHead& head, Response& response) {
  response.status = head.status;
  response.reason = head.reason;
  response.content_length = head.content_length;
  for (const auto& field : head.fields) {
    if (is_hosts_own(field.name)) continue;
    std::string name = title_case(field.name);
    Headers& target = is_internal_name(name) ? response.internal : response.headers;
    target.add_spelled(std::move(name), field.value);
  }
}

}  // namespace apus::http
