#include "framework/ssync/line_reader.h"

#include <algorithm>
#include <cstring>

#include "framework/ssync/protocol.h"

namespace apus::ssync {

// False at the end of the body.
bool LineReader::fill() {
  buffer_.erase(0, at_);
  at_ = 0;
  if (source_ == nullptr) return false;
  constexpr std::size_t kPiece = 16384;
  const std::size_t have = buffer_.size();
  buffer_.resize(have + kPiece);
  std::size_t count = 0;
  try {
    count = source_->read(std::span(buffer_).subspan(have));
  } catch (...) {
    buffer_.resize(have);
    throw;
  }
  buffer_.resize(have + count);
  return count > 0;
}

std::optional<std::string> LineReader::line() {
  std::size_t searched = 0;
  while (true) {
    const std::string_view bytes = std::string_view(buffer_).substr(at_);
    const std::size_t end = bytes.find('\n', searched);
    if (end != std::string_view::npos && end <= kMaxLine) {
      std::string out(bytes.substr(0, end));
      at_ += end + 1;
      while (!out.empty() && out.back() == '\r') out.pop_back();
      return out;
    }
    searched = bytes.size();
    if (searched > kMaxLine) throw BodyError(BodyError::Kind::kMalformed, "a line is too long");
    if (fill()) continue;
    if (searched > 0) throw BodyError(BodyError::Kind::kMalformed, "the body ends in a line");
    return std::nullopt;
  }
}

std::size_t LineReader::read(std::span<char> out) {
  if (at_ < buffer_.size()) {
    const std::size_t count = std::min(out.size(), buffer_.size() - at_);
    std::memcpy(out.data(), buffer_.data() + at_, count);
    at_ += count;
    return count;
  }
  return source_ == nullptr ? 0 : source_->read(out);
}

}  // namespace apus::ssync
