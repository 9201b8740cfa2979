#include "framework/http/response_writer.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <memory>

#include "framework/http/head.h"

namespace apus::http {
namespace {

// Up to here a body is copied behind its head and leaves in one packet burst with one system call.
constexpr std::uint64_t kSmall = 32768;
constexpr std::size_t kSendPiece = 65536;

// One per thread: a response is written from front to back by the thread that serves it.
std::span<char> piece_buffer() {
  thread_local const std::unique_ptr<char[]> buffer(new char[kSendPiece]);
  return {buffer.get(), kSendPiece};
}

std::string_view date_now(Clock& clock) {
  thread_local std::int64_t second = -1;
  thread_local std::string text;
  const auto now = static_cast<std::int64_t>(clock.now());
  if (now != second) {
    text = http_date(now);
    second = now;
  }
  return text;
}

void append_number(std::string& out, std::uint64_t value) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

// An application may repeat what a client said: a line end in it must not become one on the wire.
void clean_from(std::size_t start, std::string& out) {
  if (is_sendable(std::string_view(out).substr(start))) return;
  for (std::size_t i = start; i < out.size(); ++i) {
    if (out[i] == '\r' || out[i] == '\n' || out[i] == '\0') out[i] = ' ';
  }
}

void append_fields(std::string& out, const Headers& fields) {
  for (const auto& [name, value] : fields) {
    if (is_hosts_own(name)) continue;
    const std::size_t start = out.size();
    out.append(name).append(": ").append(value);
    clean_from(start, out);
    out.append("\r\n");
  }
}

bool has_no_body(int status) { return status == 204 || status == 304 || status < 200; }

}  // namespace

void ResponseWriter::build_head(const Response& response, const Framing& framing, bool chunked,
                                bool keep) {
  head_.reserve(1024);
  head_.assign("HTTP/1.1 ");
  append_number(head_, static_cast<std::uint64_t>(response.status));
  head_ += ' ';
  if (response.reason.empty()) {
    head_.append(reason_phrase(response.status));
  } else {
    const std::size_t start = head_.size();
    head_.append(response.reason);
    clean_from(start, head_);
  }
  head_.append("\r\n");
  append_fields(head_, response.headers);
  if (framing.trusted) append_fields(head_, response.internal);
  if (response.content_length) {
    head_.append("Content-Length: ");
    append_number(head_, *response.content_length);
    head_.append("\r\n");
  } else if (chunked) {
    head_.append("Transfer-Encoding: chunked\r\n");
  }
  head_.append("Date: ").append(date_now(clock_)).append("\r\n");
  if (!keep) head_.append("Connection: close\r\n");
  if (keep && framing.http_1_0) head_.append("Connection: keep-alive\r\n");
  head_.append("\r\n");
}

bool ResponseWriter::send(std::initializer_list<std::string_view> pieces, bool more) {
  head_sent_ = true;
  return wire_.send(std::span(pieces.begin(), pieces.size()), patience_, more) == Wire::Status::kOk;
}

Written ResponseWriter::write(Response& response, const Framing& framing) {
  const bool bodyless = framing.head_request || has_no_body(response.status);
  if (!bodyless && !response.body && !response.content_length) response.content_length = 0;
  const bool chunked =
      !response.content_length && !framing.http_1_0 && !has_no_body(response.status);
  const bool delimited = response.content_length || chunked || bodyless;
  const bool keep = framing.keep_alive && !response.close_connection && delimited;
  build_head(response, framing, chunked, keep);
  const Written good = keep ? Written::kKeep : Written::kClose;
  if (bodyless) return send({head_}) ? good : Written::kAbort;
  if (!response.content_length) return send_unknown(*response.body, chunked, keep);
  if (response.body == nullptr) {
    const bool whole = send({head_}) && *response.content_length == 0;
    return whole ? good : Written::kAbort;
  }
  return send_known(response, keep);
}

Written ResponseWriter::send_known(Response& response, bool keep) {
  const std::uint64_t length = *response.content_length;
  const auto region = response.body->file_region();
  if (region && region->length == length && length > 0) return send_region(response, *region, keep);
  if (length <= kSmall) return send_small(response, length, keep);

  std::uint64_t left = length;
  const std::span<char> buffer = piece_buffer();
  while (left > 0) {
    const std::size_t count = response.body->read(buffer);
    if (count == 0) break;  // shorter than announced
    const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(count, left));
    const std::string_view piece(buffer.data(), take);
    if (!(head_sent_ ? send({piece}) : send({head_, piece}))) return Written::kAbort;
    bytes_ += take;
    left -= take;
    if (take < count) return Written::kAbort;  // longer than announced
  }
  if (left > 0) return Written::kAbort;
  // The end has to be seen: a filter counts on it, and a longer body is a broken promise.
  if (response.body->read(buffer) != 0) return Written::kAbort;
  return keep ? Written::kKeep : Written::kClose;
}

Written ResponseWriter::send_small(Response& response, std::uint64_t length, bool keep) {
  const std::size_t start = head_.size();
  const std::span<char> buffer = piece_buffer();
  std::uint64_t left = length;
  bool longer = false;
  while (true) {
    const std::size_t count = response.body->read(buffer);
    if (count == 0) break;
    const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(count, left));
    head_.append(buffer.data(), take);
    left -= take;
    longer = take < count;
    if (longer) break;
  }
  if (!send({head_})) return Written::kAbort;
  bytes_ += head_.size() - start;
  if (left > 0 || longer) return Written::kAbort;
  return keep ? Written::kKeep : Written::kClose;
}

Written ResponseWriter::send_region(Response& response, const FileRegion& region, bool keep) {
  if (region.length <= kSmall) {
    const std::span<char> buffer = piece_buffer();
    const auto size = static_cast<std::size_t>(region.length);
    if (::pread(region.fd, buffer.data(), size, static_cast<off_t>(region.offset)) !=
        static_cast<ssize_t>(size)) {
      throw BodyError(BodyError::Kind::kIo, "file is shorter than announced");
    }
    if (!send({head_, std::string_view(buffer.data(), size)})) return Written::kAbort;
  } else {
    if (!send({head_}, true)) return Written::kAbort;
    if (wire_.send_file(region.fd, region.offset, region.length, patience_) != Wire::Status::kOk) {
      return Written::kAbort;
    }
  }
  bytes_ += region.length;
  response.body->sent();
  return keep ? Written::kKeep : Written::kClose;
}

Written ResponseWriter::send_unknown(Source& body, bool chunked, bool keep) {
  const std::span<char> buffer = piece_buffer();
  while (const std::size_t count = body.read(buffer)) {
    std::string_view head = head_sent_ ? std::string_view() : std::string_view(head_);
    const std::string_view piece(buffer.data(), count);
    bool good = false;
    if (chunked) {
      std::array<char, 20> size;
      auto* end = std::to_chars(size.data(), size.data() + 16, count, 16).ptr;
      *end++ = '\r';
      *end++ = '\n';
      good = send({head, std::string_view(size.data(), static_cast<std::size_t>(end - size.data())),
                   piece, "\r\n"});
    } else {
      good = send({head, piece});
    }
    if (!good) return Written::kAbort;
    bytes_ += count;
  }
  const std::string_view head = head_sent_ ? std::string_view() : std::string_view(head_);
  if (!send({head, chunked ? std::string_view("0\r\n\r\n") : std::string_view()})) {
    return Written::kAbort;
  }
  return keep ? Written::kKeep : Written::kClose;
}

}  // namespace apus::http
