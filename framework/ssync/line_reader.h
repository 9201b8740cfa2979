// Lines and stretches of bytes from one body.
#pragma once

#include <apus/source.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace apus::ssync {

/// Not thread-safe. Holds at most one line and one read ahead.
class APUS_API LineReader {
 public:
  /// `source` must outlive this; null is an empty body.
  explicit LineReader(Source* source) : source_(source) {}

  /// The next line without its end; nothing at the end of the body. Throws BodyError as the body
  /// does, and kMalformed for a line of more than kMaxLine bytes or one that the body ends in.
  std::optional<std::string> line();
  /// Up to `out.size()` bytes; 0 at the end of the body.
  std::size_t read(std::span<char> out);

 private:
  bool fill();

  Source* source_;
  std::string buffer_;
  std::size_t at_ = 0;
};

}  // namespace apus::ssync
