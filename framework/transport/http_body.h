// The body of a back end's answer, pulled from its connection.
#pragma once

#include <apus/source.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "framework/http/chunked.h"
#include "framework/transport/http_connection.h"

namespace apus::http {

/// Gives the connection back to the pool with the last byte when it may be kept, else closes it.
/// What goes wrong is a BodyError kIo.
class ClientBody final : public Source {
 public:
  enum class Framing : std::uint8_t { kLength, kChunked, kUntilClose };

  ClientBody(std::unique_ptr<ClientConnection> connection, std::shared_ptr<ConnectionPool> pool,
             Framing framing, std::uint64_t length, bool keep, std::chrono::milliseconds patience);
  ~ClientBody() override;
  std::size_t read(std::span<char> out) override;

 private:
  std::size_t receive(std::span<char> out);
  std::size_t take(std::span<char> out);
  std::size_t read_chunked(std::span<char> out);
  [[noreturn]] void fail(const char* what);
  void end();

  std::unique_ptr<ClientConnection> connection_;  // null = at the end, or failed
  std::shared_ptr<ConnectionPool> pool_;
  Framing framing_;
  std::uint64_t left_;
  bool keep_;
  bool failed_ = false;
  ChunkDecoder decoder_;
  std::chrono::milliseconds patience_;
};

}  // namespace apus::http
