// Bytes in and out of one accepted socket, plain or TLS, with deadlines.
#pragma once

#include <Poco/Net/StreamSocket.h>
#include <sys/uio.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "framework/http/in_buffer.h"

namespace apus::http {

using Steady = std::chrono::steady_clock;

/// The socket of one connection. One thread at a time.
class Wire {
 public:
  enum class Status : std::uint8_t { kOk, kEof, kTimeout, kError };
  struct Got {
    Status status = Status::kOk;
    std::size_t count = 0;
  };

  Wire(const Poco::Net::StreamSocket& socket, bool secure);

  /// What is there now or comes within a few milliseconds (`linger`), else kTimeout. The wait costs
  /// no system call of its own.
  Got receive_soon(std::span<char> out, bool linger);
  /// Waits until `deadline`.
  Got receive(std::span<char> out, Steady::time_point deadline);
  /// Sends everything; each wait for room lasts at most `patience`.
  Status send(std::span<const std::string_view> pieces, std::chrono::milliseconds patience,
              bool more = false);
  /// Sends a stretch of a file, without copying when the socket is plain.
  Status send_file(int file, std::uint64_t offset, std::uint64_t length,
                   std::chrono::milliseconds patience);
  /// Bytes already decrypted: epoll would not tell of them.
  [[nodiscard]] bool pending();
  /// Says goodbye: nothing is sent any more. False when the peer is gone.
  bool half_close();
  /// After that: throws away some of what is there. False when the peer is at its end, or gone.
  bool throw_away();

  /// Makes the close of the socket a reset, so that no one takes what was sent for complete.
  void abort();

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool secure() const { return secure_; }
  [[nodiscard]] const Poco::Net::StreamSocket& socket() const { return socket_; }

 private:
  Got receive_plain(std::span<char> out, int flags) const;
  Got receive_secure(std::span<char> out, Steady::time_point deadline);
  Status send_plain(std::span<iovec> pieces, std::chrono::milliseconds patience, bool more) const;
  Status send_secure(std::string_view bytes, std::chrono::milliseconds patience);
  Status copy_file(int file, std::uint64_t offset, std::uint64_t length,
                   std::chrono::milliseconds patience);

  Poco::Net::StreamSocket socket_;
  int fd_;
  bool secure_;
};

}  // namespace apus::http
