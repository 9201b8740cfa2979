#include "framework/http/wire.h"

#include <Poco/Exception.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

namespace apus::http {
namespace {

using Poco::Net::SecureStreamSocket;
using std::chrono::milliseconds;

constexpr milliseconds kLinger{5};

// True when the event came before the deadline; a broken socket counts as ready, its next use
// tells.
bool wait(int fd, short events, Steady::time_point deadline) {
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Steady::now()).count();
    pollfd entry{fd, events, 0};
    const int count = ::poll(&entry, 1, static_cast<int>(std::clamp<long long>(left, 0, 1 << 30)));
    if (count > 0) return true;
    if (left <= 0 || (count < 0 && errno != EINTR)) return false;
  }
}

}  // namespace

Wire::Wire(const Poco::Net::StreamSocket& socket, bool secure)
    : socket_(socket), fd_(socket_.impl()->sockfd()), secure_(secure) {
  if (secure_) {
    socket_.setBlocking(false);  // else one OpenSSL call could wait past every deadline
    return;
  }
  const timeval linger{0, static_cast<suseconds_t>(kLinger.count() * 1000)};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &linger, sizeof linger);
}

Wire::Got Wire::receive_plain(std::span<char> out, int flags) const {
  while (true) {
    const ssize_t count = ::recv(fd_, out.data(), out.size(), flags);
    if (count > 0) return {Status::kOk, static_cast<std::size_t>(count)};
    if (count == 0) return {Status::kEof, 0};
    if (errno == EINTR) continue;
    return {errno == EAGAIN || errno == EWOULDBLOCK ? Status::kTimeout : Status::kError, 0};
  }
}

// Poco 1.11 throws TimeoutException where a non-blocking socket has to wait, after an epoll set
// made for one look. So the look is taken here first, and the exception means to look again.
Wire::Got Wire::receive_secure(std::span<char> out, Steady::time_point deadline) {
  const int size = static_cast<int>(std::min<std::size_t>(out.size(), 1U << 30U));
  while (pending() || wait(fd_, POLLIN, deadline)) {
    try {
      const int count = socket_.receiveBytes(out.data(), size);
      if (count > 0) return {Status::kOk, static_cast<std::size_t>(count)};
      if (count == 0) return {Status::kEof, 0};
      if (count == SecureStreamSocket::ERR_SSL_WANT_WRITE && !wait(fd_, POLLOUT, deadline)) break;
    } catch (const Poco::TimeoutException&) {
      if (Steady::now() >= deadline) break;
    } catch (const Poco::Exception&) {
      return {Status::kError, 0};
    }
  }
  return {Status::kTimeout, 0};
}

Wire::Got Wire::receive_soon(std::span<char> out, bool linger) {
  if (!secure_) return receive_plain(out, linger ? 0 : MSG_DONTWAIT);
  return receive_secure(out, linger ? Steady::now() + kLinger : Steady::time_point());
}

Wire::Got Wire::receive(std::span<char> out, Steady::time_point deadline) {
  if (secure_) return receive_secure(out, deadline);
  while (true) {
    const Got got = receive_plain(out, MSG_DONTWAIT);
    if (got.status != Status::kTimeout || !wait(fd_, POLLIN, deadline)) return got;
  }
}

Wire::Status Wire::send_plain(std::span<iovec> pieces, milliseconds patience, bool more) const {
  const int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0);
  while (!pieces.empty()) {
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    const ssize_t count = ::sendmsg(fd_, &message, flags);
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) return Status::kError;
      if (!wait(fd_, POLLOUT, Steady::now() + patience)) return Status::kTimeout;
      continue;
    }
    auto sent = static_cast<std::size_t>(count);
    while (!pieces.empty() && sent >= pieces.front().iov_len) {
      sent -= pieces.front().iov_len;
      pieces = pieces.subspan(1);
    }
    if (sent > 0) {
      pieces.front().iov_base = static_cast<char*>(pieces.front().iov_base) + sent;
      pieces.front().iov_len -= sent;
    }
  }
  return Status::kOk;
}

Wire::Status Wire::send_secure(std::string_view bytes, milliseconds patience) {
  while (!bytes.empty()) {
    const int size = static_cast<int>(std::min<std::size_t>(bytes.size(), 65536));
    short event = POLLOUT;
    try {
      const int count = socket_.sendBytes(bytes.data(), size);
      if (count > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(count));
        continue;
      }
      if (count == 0) return Status::kError;
      if (count == SecureStreamSocket::ERR_SSL_WANT_READ) event = POLLIN;
    } catch (const Poco::TimeoutException&) {
      event = POLLOUT;  // what a non-blocking socket says when its buffer is full
    } catch (const Poco::Exception&) {
      return Status::kError;
    }
    if (!wait(fd_, event, Steady::now() + patience)) return Status::kTimeout;
  }
  return Status::kOk;
}

Wire::Status Wire::send(std::span<const std::string_view> pieces, milliseconds patience,
                        bool more) {
  if (!secure_) {
    std::array<iovec, 4> parts{};
    std::size_t used = 0;
    for (const auto& piece : pieces.first(std::min(pieces.size(), parts.size()))) {
      if (!piece.empty()) parts[used++] = {const_cast<char*>(piece.data()), piece.size()};
    }
    return send_plain(std::span(parts).first(used), patience, more);
  }
  if (pieces.size() == 1) return send_secure(pieces[0], patience);
  std::string joined;  // one record instead of several
  for (const auto& piece : pieces) joined.append(piece);
  return send_secure(joined, patience);
}

Wire::Status Wire::copy_file(int file, std::uint64_t offset, std::uint64_t length,
                             milliseconds patience) {
  std::vector<char> piece(static_cast<std::size_t>(std::min<std::uint64_t>(length, 65536)));
  while (length > 0) {
    const std::size_t wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(length, piece.size()));
    const ssize_t count = ::pread(file, piece.data(), wanted, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Status::kError;
    const auto size = static_cast<std::size_t>(count);
    const std::string_view bytes(piece.data(), size);
    if (const Status status = send(std::span(&bytes, 1), patience); status != Status::kOk) {
      return status;
    }
    offset += size;
    length -= size;
  }
  return Status::kOk;
}

Wire::Status Wire::send_file(int file, std::uint64_t offset, std::uint64_t length,
                             milliseconds patience) {
  if (secure_) return copy_file(file, offset, length, patience);
  // A blocking socket would wait inside sendfile for as long as the peer likes.
  const timeval limit{static_cast<time_t>(patience.count() / 1000),
                      static_cast<suseconds_t>(patience.count() % 1000 * 1000)};
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  auto at = static_cast<off_t>(offset);
  while (length > 0) {
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(length, 1U << 20U));
    const ssize_t count = ::sendfile(fd_, file, &at, wanted);
    if (count > 0) {
      length -= static_cast<std::uint64_t>(count);
    } else if (count == 0) {
      return Status::kError;  // the file is shorter than announced
    } else if (errno == EINVAL || errno == ENOSYS) {
      return copy_file(file, static_cast<std::uint64_t>(at), length, patience);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return Status::kTimeout;
    } else if (errno != EINTR) {
      return Status::kError;
    }
  }
  return Status::kOk;
}

bool Wire::pending() {
  if (!secure_) return false;
  try {
    return socket_.available() > 0;
  } catch (const Poco::Exception&) {
    return false;
  }
}

void Wire::abort() {
  const linger reset{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

bool Wire::half_close() {
  if (secure_) {
    try {
      socket_.shutdown();
    } catch (const Poco::Exception&) {
      return false;
    }
  }
  return ::shutdown(fd_, SHUT_WR) == 0;
}

bool Wire::throw_away() {
  std::array<char, 65536> dropped;
  // Past TLS: nobody reads it anyhow.
  const Status status = receive_plain(dropped, MSG_DONTWAIT).status;
  return status == Status::kOk || status == Status::kTimeout;
}

}  // namespace apus::http
