#include "framework/transport/http_body.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

namespace apus::http {

ClientBody::ClientBody(std::unique_ptr<ClientConnection> connection,
                       std::shared_ptr<ConnectionPool> pool, Framing framing, std::uint64_t length,
                       bool keep, std::chrono::milliseconds patience)
    : connection_(std::move(connection)),
      pool_(std::move(pool)),
      framing_(framing),
      left_(length),
      keep_(keep),
      patience_(patience) {}

ClientBody::~ClientBody() = default;

void ClientBody::fail(const char* what) {
  const std::string where =
      connection_ ? connection_->endpoint.ip + ":" + std::to_string(connection_->endpoint.port)
                  : "";
  connection_.reset();
  failed_ = true;
  throw BodyError(BodyError::Kind::kIo, where + ": " + what);
}

void ClientBody::end() {
  if (keep_) {
    pool_->give(std::move(connection_));
  } else {
    connection_.reset();
  }
}

// 0 at the end of the stream.
std::size_t ClientBody::receive(std::span<char> out) {
  while (true) {
    const ssize_t count = ::recv(connection_->fd(), out.data(), out.size(), MSG_DONTWAIT);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) fail("connection lost within the body");
    pollfd entry{connection_->fd(), POLLIN, 0};
    const int timeout = patience_.count() == 0 ? -1 : static_cast<int>(patience_.count());
    if (::poll(&entry, 1, timeout) == 0) fail("silent for too long within the body");
  }
}

std::size_t ClientBody::take(std::span<char> out) {
  InBuffer& in = connection_->in;
  if (in.empty()) return receive(out);
  const std::size_t count = std::min(out.size(), in.view().size());
  std::memcpy(out.data(), in.view().data(), count);
  in.consume(count);
  return count;
}

std::size_t ClientBody::read_chunked(std::span<char> out) {
  InBuffer& in = connection_->in;
  while (true) {
    if (in.empty()) {
      const std::size_t count = receive(in.room());
      if (count == 0) fail("closed within the body");
      in.filled(count);
    }
    const ChunkDecoder::Step step = decoder_.decode(in.view(), out);
    in.consume(step.consumed);
    if (decoder_.broken()) fail("broken chunked framing");
    if (decoder_.done()) {
      end();
      return step.produced;
    }
    if (step.produced > 0) return step.produced;
  }
}

std::size_t ClientBody::read(std::span<char> out) {
  if (failed_) throw BodyError(BodyError::Kind::kIo, "the body broke before");
  if (!connection_) return 0;
  if (framing_ == Framing::kChunked) return read_chunked(out);
  if (framing_ == Framing::kUntilClose) {
    const std::size_t count = take(out);
    if (count == 0) end();
    return count;
  }
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left_));
  const std::size_t count = take(out.first(wanted));
  if (count == 0) fail("closed within the body");
  left_ -= count;
  if (left_ == 0) end();
  return count;
}

}  // namespace apus::http
