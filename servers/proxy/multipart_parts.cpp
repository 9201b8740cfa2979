#include "servers/proxy/multipart_parts.h"

#include <apus/text.h>

#include <algorithm>
#include <cstring>

namespace apus {
namespace {

constexpr std::size_t kMaxLine = 8192;
constexpr int kMaxLines = 100;
constexpr std::size_t kReadAhead = 4096;

[[noreturn]] void broken(const char* why) {
  throw BodyError(BodyError::Kind::kIo, std::string("multipart answer: ") + why);
}

}  // namespace

std::optional<ContentRange> parse_content_range(std::string_view text) {
  if (!text.starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || dash > slash)
    return std::nullopt;
  const auto first = parse_digits(text.substr(0, dash));
  const auto last = parse_digits(text.substr(dash + 1, slash - dash - 1));
  const auto length = parse_digits(text.substr(slash + 1));
  if (!first || !last || !length || *first > *last || *last >= *length) return std::nullopt;
  return ContentRange{{static_cast<std::uint64_t>(*first), static_cast<std::uint64_t>(*last)},
                      static_cast<std::uint64_t>(*length)};
}

std::optional<std::string> multipart_boundary(std::string_view content_type) {
  if (!starts_with_name(content_type, "multipart/byteranges")) return std::nullopt;
  const std::size_t at = content_type.find("boundary=");
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view value = content_type.substr(at + 9);
  value = trim(value.substr(0, value.find(';')));
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
    value = value.substr(1, value.size() - 2);
  if (value.empty() || value.size() > 200) return std::nullopt;
  return std::string(value);
}

MultipartParts::MultipartParts(std::unique_ptr<Source> source, std::string boundary)
    : source_(std::move(source)), boundary_(std::move(boundary)) {}

void MultipartParts::fill() {
  buffer_.erase(0, at_);
  at_ = 0;
  const std::size_t old = buffer_.size();
  buffer_.resize(old + kReadAhead);
  const std::size_t count = source_->read(std::span(buffer_).subspan(old));
  buffer_.resize(old + count);
  if (count == 0) broken("ends too early");
}

// Without its line end.
std::string MultipartParts::line() {
  std::size_t seen = at_;
  while (true) {
    const std::size_t end = buffer_.find('\n', seen);
    if (end != std::string::npos) {
      std::string out = buffer_.substr(at_, end - at_);
      at_ = end + 1;
      if (out.ends_with('\r')) out.pop_back();
      return out;
    }
    if (buffer_.size() - at_ > kMaxLine) broken("a line is too long");
    seen = buffer_.size() - at_;
    fill();
  }
}

std::optional<MultipartParts::Part> MultipartParts::next() {
  std::string text = line();
  for (int i = 0; text.empty() && i < kMaxLines; ++i) text = line();
  // The last boundary has no line end of its own.
  if (text == "--" + boundary_ + "--") return std::nullopt;
  if (text != "--" + boundary_) broken("no boundary where one must be");
  Part out;
  std::optional<ContentRange> at;
  for (int i = 0; i < kMaxLines; ++i) {
    text = line();
    if (text.empty()) break;
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) broken("a malformed field");
    const std::string_view name = trim(std::string_view(text).substr(0, colon));
    const std::string_view value = trim(std::string_view(text).substr(colon + 1));
    if (same_name(name, "Content-Type")) out.content_type = value;
    if (same_name(name, "Content-Range")) at = parse_content_range(value);
  }
  if (!at || !text.empty()) broken("a part without its range");
  out.at = *at;
  left_ = at->range.length();
  return out;
}

std::size_t MultipartParts::read(std::span<char> out) {
  out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left_)));
  if (out.empty()) return 0;
  std::size_t count = std::min(out.size(), buffer_.size() - at_);
  if (count > 0) {
    std::memcpy(out.data(), buffer_.data() + at_, count);
    at_ += count;
  } else {
    count = source_->read(out);
    if (count == 0) broken("ends within a part");
  }
  left_ -= count;
  return count;
}

}  // namespace apus
