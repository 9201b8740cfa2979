// Reads a stream of MIME parts that a boundary divides, without holding a part.
#pragma once

#include <apus/headers.h>
#include <apus/source.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace apus {

/// Parts start with "--BOUNDARY" on a line of its own, then fields, an empty line and bytes; they
/// end before CRLF "--BOUNDARY"; "--BOUNDARY--" is the end. Linear in the input.
class MimeReader {
 public:
  /// `source` must outlive this.
  MimeReader(Source& source, std::string_view boundary);

  /// Skips what is left of the part and goes to the next: its fields. Nothing at the end, and when
  /// the first line is no boundary. Throws BodyError; kMalformed for a head of more than 64 KiB.
  std::optional<Headers> next();
  /// Bytes of the part; 0 at its end, again and again.
  std::size_t read(std::span<char> out);

 private:
  bool fill();
  std::optional<std::string> line();
  [[nodiscard]] std::string_view pending() const { return std::string_view(buffer_).substr(at_); }

  Source& source_;
  std::string marker_;  ///< "\r\n--BOUNDARY"
  std::string buffer_;
  std::size_t at_ = 0;
  bool started_ = false;
  bool part_ended_ = true;
  bool at_end_ = false;  ///< of the document
  bool source_ended_ = false;
};

}  // namespace apus
