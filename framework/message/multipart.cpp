#include <apus/multipart.h>
#include <apus/text.h>

#include <algorithm>
#include <optional>

namespace apus {
namespace {

constexpr std::size_t kFillPiece = 16384;
constexpr std::size_t kMaxHead = 64U << 10U;
constexpr std::size_t kMaxLeadingLines = 1024;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Where a quoted value ends: behind the first quote that ';' or the text's end follows.
std::size_t end_of_quoted(std::string_view text) {
  for (std::size_t at = 1; at < text.size() && text[at] != '\n'; ++at) {
    if (text[at] == '"' && (at + 1 == text.size() || text[at + 1] == ';')) return at + 1;
  }
  return std::string_view::npos;
}

std::string_view without_quotes(std::string_view text) {
  const std::size_t first = text.find_first_not_of('"');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of('"') - first + 1);
}

// Takes NAME=VALUE from the front; false when there is none.
bool take_attribute(std::string_view& text, ParsedDisposition& to) {
  const auto word =
      static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_word) - text.begin());
  if (word == 0 || word == text.size() || text[word] != '=') return false;
  const std::string_view rest = text.substr(word + 1);
  const std::size_t end = rest.starts_with('"') ? end_of_quoted(rest)
                                                : std::min(rest.find_first_of("\";"), rest.size());
  if (end == std::string_view::npos || end == 0 || (end < rest.size() && rest[end] != ';'))
    return false;
  to.attributes[std::string(text.substr(0, word))] = without_quotes(rest.substr(0, end));
  text = rest.substr(std::min(end + 1, rest.size()));
  if (text.starts_with(' ')) text.remove_prefix(1);
  return true;
}

}  // namespace

MultipartError::MultipartError(Kind kind, const std::string& what)
    : std::runtime_error(what), kind_(kind) {}
MultipartError::~MultipartError() = default;

ParsedDisposition parse_disposition(std::string_view text) {
  ParsedDisposition out;
  const std::size_t semicolon = text.find(';');
  if (semicolon == std::string_view::npos) {
    out.value = text;
    return out;
  }
  out.value = trim(text.substr(0, semicolon));
  std::string_view rest = trim(text.substr(semicolon + 1));
  while (take_attribute(rest, out)) {
  }
  return out;
}

MultipartReader::MultipartReader(Source& body, std::string_view boundary)
    : body_(body), mark_(std::string("\r\n--").append(boundary)) {}
MultipartReader::~MultipartReader() = default;

// Sees to it that `wanted` unread bytes are there; false when the body ends before.
bool MultipartReader::fill(std::size_t wanted) {
  if (from_ > 0 && buffer_.size() - from_ < wanted) {
    buffer_.erase(0, from_);
    searched_ -= std::min(searched_, from_);
    from_ = 0;
  }
  while (buffer_.size() - from_ < wanted && !body_ended_) {
    const std::size_t before = buffer_.size();
    buffer_.resize(before + std::max(kFillPiece, wanted));
    const std::size_t count =
        body_.read(std::span(buffer_.data() + before, buffer_.size() - before));
    buffer_.resize(before + count);
    body_ended_ = count == 0;
  }
  return buffer_.size() - from_ >= wanted;
}

// Passes the first boundary's line.
void MultipartReader::open() {
  opened_ = true;
  for (std::size_t lines = 0; fill(2) && buffer_.compare(from_, 2, "\r\n") == 0; ++lines) {
    if (lines == kMaxLeadingLines) break;
    from_ += 2;
  }
  const std::string_view line = std::string_view(mark_).substr(2);
  fill(line.size() + 2);
  const std::string_view there = std::string_view(buffer_).substr(from_, line.size() + 2);
  const std::string_view tail = there.substr(std::min(line.size(), there.size()));
  if (!there.starts_with(line) || !(tail.empty() || tail == "\r\n" || tail.starts_with('\n')))
    throw MultipartError(MultipartError::Kind::kStart, "invalid starting boundary");
  from_ += line.size() + (tail.starts_with('\n') ? 1 : tail.size());
  in_part_ = true;
}

bool MultipartReader::next() {
  if (!opened_) {
    open();
  } else {
    std::string scrap(kFillPiece, '\0');
    while (read(scrap) > 0) {
    }
    if (ended_) return false;
    in_part_ = true;
  }
  read_headers();
  return true;
}

// The part ends at `at`, where the boundary begins; "--" behind it ends them all.
void MultipartReader::end_part(std::size_t at) {
  from_ = at + mark_.size();
  fill(2);
  const std::string_view tail = std::string_view(buffer_).substr(from_, 2);
  ended_ = tail == "--" || tail.size() < 2;
  from_ += tail.size();
  in_part_ = false;
}

std::size_t MultipartReader::read(std::span<char> out) {
  if (!in_part_) return 0;
  // As many bytes as are certain not to begin a boundary.
  fill(std::max(mark_.size() + 1, std::min(out.size(), kFillPiece) + mark_.size()));
  const std::size_t mark = buffer_.find(mark_, std::max(from_, searched_));
  searched_ = mark != std::string::npos
                  ? mark
                  : buffer_.size() - std::min(buffer_.size(), mark_.size() - 1);
  if (mark == from_) {
    end_part(mark);
    return 0;
  }
  const bool last = mark == std::string::npos && body_ended_;
  const std::size_t sure = last ? buffer_.size() : searched_;
  if (last && sure == from_) {
    in_part_ = false;
    ended_ = true;
    return 0;
  }
  const std::size_t count = std::min(out.size(), sure - from_);
  std::copy_n(buffer_.data() + from_, count, out.data());
  from_ += count;
  return count;
}

// A line with its end, or what is left of the part.
std::string MultipartReader::read_line() {
  std::string line;
  char c = 0;
  while (line.size() < kMaxHead && read(std::span(&c, 1)) == 1) {
    line += c;
    if (c == '\n') break;
  }
  return line;
}

void MultipartReader::read_headers() {
  headers_.clear();
  std::size_t size = 0;
  std::string name;
  for (std::string line = read_line(); !trim(line).empty(); line = read_line()) {
    size += line.size();
    if (size >= kMaxHead)
      throw MultipartError(MultipartError::Kind::kHeaders, "part headers too large");
    if ((line[0] == ' ' || line[0] == '\t') && !name.empty()) {
      headers_.set(name, std::string(headers_.get(name)) + " " + std::string(trim(line)));
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || colon == 0) continue;
    name = title_case(trim(std::string_view(line).substr(0, colon)));
    if (!name.empty())
      headers_.set(name, std::string(trim(std::string_view(line).substr(colon + 1))));
  }
}

}  // namespace apus
