// The heads of HTTP/1 messages: found and taken apart in one linear pass over raw bytes.
#pragma once

#include <apus/message.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace apus::http {

/// Bounds of a head, in bytes, line ends not counted.
struct HeadLimits {
  std::size_t request_line = 8192;
  std::size_t header_line = 8192;
  std::size_t header_count = 126;
  std::size_t total = 65536;  ///< of all header lines together
};

/// Looks for the empty line that ends a head while its bytes come in. Every byte is looked at once;
/// line ends are CRLF and nothing else.
class APUS_API HeadScanner {
 public:
  enum class State : std::uint8_t { kMore, kComplete, kRefused };

  /// `bytes` is all there is of the message so far: what was there in the last call, and more.
  State feed(std::string_view bytes, const HeadLimits& limits);
  /// Length of the head with its last CRLF; valid when complete.
  [[nodiscard]] std::size_t size() const { return at_; }
  /// Why it was refused: 400 or 414.
  [[nodiscard]] int status() const { return status_; }
  void reset() { *this = HeadScanner(); }

 private:
  State refuse(int status);
  State end_line(std::string_view line, const HeadLimits& limits);

  std::size_t at_ = 0;          // everything before was looked at
  std::size_t line_start_ = 0;  // first byte of the line under way
  std::size_t lines_ = 0;
  std::size_t total_ = 0;
  int status_ = 0;
};

/// One field, as views into the head.
struct FieldView {
  std::string_view name;
  std::string_view value;
};

/// A request head, as views into the bytes it was parsed from.
struct RequestHead {
  std::string_view method;
  std::string_view target;   ///< in origin form (or "*"), query included
  std::string_view version;  ///< "HTTP/1.1"
  int minor = 1;             ///< of HTTP/1.minor
  std::vector<FieldView> fields;

  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool expect_continue = false;
  bool keep_alive = true;  ///< what version and Connection ask for
};

/// Parses a complete head. 0, or the status that refuses it: 400, 501 or 505.
APUS_API int parse_request_head(std::string_view head, RequestHead& out);

/// A response head, as views into the bytes it was parsed from.
struct ResponseHead {
  int status = 0;
  std::string_view reason;
  std::vector<FieldView> fields;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;
};

/// False when the bytes are not a head of HTTP/1.
APUS_API bool parse_response_head(std::string_view head, ResponseHead& out);

/// True when the value can be sent in a head: no CR, LF or NUL.
APUS_API bool is_sendable(std::string_view value);

/// Fields of an answer that its host says, not the application: those of the connection, and Date.
APUS_API bool is_hosts_own(std::string_view name);

/// Fills the fields of a request from its head. With `trusted`, internal names and X-Timestamp go
/// to `internal`. The context and the body are left alone.
APUS_API void fill_request(const RequestHead& head, bool trusted, Request& request);

/// Status, length and fields of a response from its head but for those that is_hosts_own, internal
/// names in `internal`. The body is left alone.
APUS_API void fill_response(const ResponseHead& head, Response& response);

}  // namespace apus::http
