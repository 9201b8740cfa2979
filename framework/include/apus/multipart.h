// multipart/form-data and its like, read piece by piece.
#pragma once

#include <apus/abi.h>
#include <apus/headers.h>
#include <apus/source.h>

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace apus {

/// Why a multipart body cannot be taken apart.
class APUS_API MultipartError : public std::runtime_error {
 public:
  enum class Kind {
    kStart,    ///< it does not begin with its boundary
    kHeaders,  ///< a part's head is larger than 64 KiB
  };
  MultipartError(Kind kind, const std::string& what);
  ~MultipartError() override;
  [[nodiscard]] Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

/// A header value like `form-data; name="a"; filename="b.txt"`.
struct ParsedDisposition {
  std::string value;  ///< before the first ';'; the whole text when there is none
  std::map<std::string, std::string, std::less<>> attributes;  ///< the last of each name, unquoted
};
/// Reads attributes up to the first that is malformed.
APUS_API ParsedDisposition parse_disposition(std::string_view text);

/// Parts of a body, one after the other, in constant memory. Line ends before the first boundary
/// are passed over; after the last part, or at an end without a closing boundary, there is no more.
/// One thread at a time.
class APUS_API MultipartReader {
 public:
  /// `body` outlives it. `boundary` without its two leading dashes.
  MultipartReader(Source& body, std::string_view boundary);
  MultipartReader(const MultipartReader&) = delete;
  MultipartReader& operator=(const MultipartReader&) = delete;
  ~MultipartReader();

  /// Goes to the next part, dropping what was not read of the present one. False when there is
  /// none. Throws MultipartError and BodyError.
  bool next();
  /// The present part's own header fields; of a repeated one the last.
  [[nodiscard]] const Headers& headers() const { return headers_; }
  /// The part's bytes, 0 at its end. Throws BodyError.
  std::size_t read(std::span<char> out);

 private:
  void open();
  void read_headers();
  std::string read_line();
  bool fill(std::size_t wanted);
  void end_part(std::size_t at);

  Source& body_;
  std::string mark_;  // "\r\n--BOUNDARY"
  std::string buffer_;
  std::size_t from_ = 0;      // in buffer_: where the unread bytes begin
  std::size_t searched_ = 0;  // in buffer_: no boundary begins between from_ and here
  Headers headers_;
  bool opened_ = false;
  bool in_part_ = false;
  bool ended_ = false;  // no part follows
  bool body_ended_ = false;
};

}  // namespace apus
