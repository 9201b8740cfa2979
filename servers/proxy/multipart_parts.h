// A multipart/byteranges answer, taken apart while it streams.
#pragma once

#include <apus/conditional.h>
#include <apus/source.h>

#include <memory>
#include <optional>
#include <string>

namespace apus {

/// The values of a Content-Range: "bytes 0-4/10".
struct ContentRange {
  ByteRange range;
  std::uint64_t length = 0;
};
std::optional<ContentRange> parse_content_range(std::string_view text);
/// The boundary of a multipart/byteranges type; nothing when it is another type.
std::optional<std::string> multipart_boundary(std::string_view content_type);

/// Reads part after part: `next` to its head, then `read` its bytes to their end. What is malformed
/// is a BodyError kIo.
class MultipartParts {
 public:
  MultipartParts(std::unique_ptr<Source> source, std::string boundary);

  struct Part {
    ContentRange at;
    std::string content_type;
  };
  /// Nothing at the end. The part before must have been read whole.
  std::optional<Part> next();
  /// Bytes of the part; 0 only when `out` is empty or the part was read whole.
  std::size_t read(std::span<char> out);

 private:
  std::string line();
  void fill();

  std::unique_ptr<Source> source_;
  std::string boundary_;
  std::string buffer_;  // read ahead of the heads
  std::size_t at_ = 0;
  std::uint64_t left_ = 0;
};

}  // namespace apus
