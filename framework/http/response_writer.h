// Puts a Response on the wire.
#pragma once

#include <apus/host.h>
#include <apus/message.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "framework/http/wire.h"

namespace apus::http {

/// How one response has to be framed.
struct Framing {
  bool head_request = false;  ///< no body goes out
  bool http_1_0 = false;      ///< no chunked coding
  bool keep_alive = true;     ///< what may be promised to the client
  bool trusted = false;       ///< internal fields go out too
};

/// What became of a response.
enum class Written : std::uint8_t {
  kKeep,   ///< complete; the connection may be used again
  kClose,  ///< complete; the connection has to be closed
  kAbort,  ///< cut short or the client is gone
};

class ResponseWriter {
 public:
  ResponseWriter(Wire& wire, Clock& clock, std::chrono::milliseconds patience)
      : wire_(wire), clock_(clock), patience_(patience) {}

  /// Sends head and body. Throws what the body throws: `head_sent` then tells whether anything is
  /// out already.
  Written write(Response& response, const Framing& framing);
  [[nodiscard]] bool head_sent() const { return head_sent_; }
  /// Body bytes that went out.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  void build_head(const Response& response, const Framing& framing, bool chunked, bool keep);
  Written send_known(Response& response, bool keep);
  Written send_region(Response& response, const FileRegion& region, bool keep);
  Written send_small(Response& response, std::uint64_t length, bool keep);
  Written send_unknown(Source& body, bool chunked, bool keep);
  bool send(std::initializer_list<std::string_view> pieces, bool more = false);

  Wire& wire_;
  Clock& clock_;
  std::chrono::milliseconds patience_;
  std::string head_;
  bool head_sent_ = false;
  std::uint64_t bytes_ = 0;
};

}  // namespace apus::http
