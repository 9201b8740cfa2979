#include "servers/object/mime_reader.h"

#include <apus/text.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace apus {
namespace {

constexpr std::size_t kPiece = 65536;
constexpr std::size_t kMaxHead = 65536;

}  // namespace

MimeReader::MimeReader(Source& source, std::string_view boundary)
    : source_(source), marker_("\r\n--" + std::string(boundary)) {}

// False at the end of the source.
bool MimeReader::fill() {
  buffer_.erase(0, at_);
  at_ = 0;
  const std::size_t have = buffer_.size();
  buffer_.resize(have + kPiece);
  std::size_t count = 0;
  try {
    count = source_.read(std::span(buffer_).subspan(have));
  } catch (...) {
    buffer_.resize(have);
    throw;
  }
  buffer_.resize(have + count);
  source_ended_ = count == 0;
  return count > 0;
}

// A line without its end; nothing when the source ends before one.
std::optional<std::string> MimeReader::line() {
  std::size_t searched = 0;
  while (true) {
    const std::string_view bytes = pending();
    const std::size_t end = bytes.find('\n', searched);
    if (end != std::string_view::npos) {
      std::string out(bytes.substr(0, end));
      if (out.ends_with('\r')) out.pop_back();
      at_ += end + 1;
      return out;
    }
    searched = bytes.size();
    if (searched > kMaxHead)
      throw BodyError(BodyError::Kind::kMalformed, "a MIME part's head is too long");
    if (!fill()) return std::nullopt;
  }
}

std::optional<Headers> MimeReader::next() {
  std::array<char, 4096> rest;
  while (started_ && read(rest) > 0) {
  }
  if (!started_) {
    started_ = true;
    auto first = line();
    while (first && first->empty()) first = line();
    at_end_ = !first || trim(*first) != std::string_view(marker_).substr(2);
  }
  if (at_end_) return std::nullopt;
  Headers out;
  std::size_t size = 0;
  while (true) {
    const auto field = line();
    if (!field) {
      at_end_ = true;
      return std::nullopt;
    }
    if (field->empty()) break;
    size += field->size();
    if (size > kMaxHead)
      throw BodyError(BodyError::Kind::kMalformed, "a MIME part's head is too long");
    const std::size_t colon = std::min(field->find(':'), field->size());
    out.set(trim(std::string_view(*field).substr(0, colon)),
            std::string(trim(std::string_view(*field).substr(std::min(colon + 1, field->size())))));
  }
  part_ended_ = false;
  return out;
}

std::size_t MimeReader::read(std::span<char> out) {
  if (part_ended_) return 0;
  while (true) {
    // No more than one call can use is searched, so that small reads do not search it all again.
    const std::string_view bytes = pending().substr(0, out.size() + marker_.size() - 1);
    const std::size_t mark = bytes.find(marker_);
    // Bytes that cannot be the start of a marker that is still coming.
    std::size_t free = mark;
    if (mark == std::string_view::npos) {
      free =
          source_ended_ ? bytes.size() : bytes.size() - std::min(bytes.size(), marker_.size() - 1);
    }
    if (free > 0) {
      const std::size_t count = std::min(free, out.size());
      std::memcpy(out.data(), bytes.data(), count);
      at_ += count;
      return count;
    }
    if (mark == 0) {
      at_ += marker_.size();
      const auto tail = line();
      part_ended_ = true;
      at_end_ = !tail || tail->starts_with("--");
      return 0;
    }
    if (!fill() && pending().empty()) {
      part_ended_ = true;
      at_end_ = true;
      return 0;
    }
  }
}

}  // namespace apus
