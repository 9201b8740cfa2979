#include "framework/transport/duplex.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>

#include "framework/http/chunked.h"
#include "framework/http/head.h"
#include "framework/transport/http_body.h"
#include "framework/transport/http_connection.h"
#include "framework/transport/http_exchange.h"
#include "framework/transport/local_transport.h"

namespace apus {
namespace {

using http::ClientConnection;
using http::Steady;
using Kind = TransportError::Kind;
using Milliseconds = std::chrono::milliseconds;

constexpr http::HeadLimits kAnswerLimits{
    .request_line = 8192, .header_line = 65536, .header_count = 1024, .total = 262144};
constexpr std::size_t kPiece = 65536;
constexpr int kMaxInformational = 16;

// What poll saw, 0 when the time ran out.
short wait_for(int fd, short events, Milliseconds patience) {
  const auto end = Steady::now() + patience;
  while (true) {
    int left = -1;
    if (patience.count() > 0) {
      const auto rest = std::chrono::ceil<Milliseconds>(end - Steady::now()).count();
      left = static_cast<int>(std::clamp<long long>(rest, 0, 1 << 30));
    }
    pollfd entry{fd, events, 0};
    const int count = ::poll(&entry, 1, left);
    if (count > 0) return entry.revents;
    if (count == 0) return 0;
    if (errno != EINTR) return POLLERR;
  }
}

// One side of a conversation over a socket.
class Line {
 public:
  Line(const Endpoint& endpoint, const DuplexDeadlines& deadlines)
      : connection_(std::make_unique<ClientConnection>(endpoint)), deadlines_(deadlines) {
    if (wait_for(connection_->fd(), POLLOUT, deadlines_.connect) == 0)
      throw error(Kind::kConnect, "not connected in time");
    if (const int code = connection_->connect_error())
      throw error(Kind::kConnect, std::generic_category().message(code));
  }

  [[nodiscard]] TransportError error(Kind kind, const std::string& what) const {
    const Endpoint& peer = connection_->endpoint;
    return {kind, peer.ip + ":" + std::to_string(peer.port) + ": " + what};
  }

  // False when the other side takes no more.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count =
          ::send(connection_->fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(count));
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        const short seen = wait_for(connection_->fd(), POLLOUT, deadlines_.send);
        if (seen == 0) throw error(Kind::kTimeout, "takes nothing for too long");
      } else if (errno != EINTR) {
        return false;
      }
    }
    return true;
  }

  // True when a read would not wait.
  [[nodiscard]] bool heard() const {
    pollfd entry{connection_->fd(), POLLIN, 0};
    return ::poll(&entry, 1, 0) > 0;
  }

  // More bytes into `in`; false at the end of the stream.
  bool receive(Milliseconds patience) {
    const std::span<char> room = connection_->in.room();
    while (true) {
      const ssize_t count = ::recv(connection_->fd(), room.data(), room.size(), MSG_DONTWAIT);
      if (count > 0) {
        connection_->in.filled(static_cast<std::size_t>(count));
        return true;
      }
      if (count == 0) return false;
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) return false;
      if (wait_for(connection_->fd(), POLLIN, patience) == 0)
        throw error(Kind::kTimeout, "silent for too long");
    }
  }

  [[nodiscard]] int fd() const { return connection_->fd(); }
  [[nodiscard]] http::InBuffer& in() { return connection_->in; }
  [[nodiscard]] const DuplexDeadlines& deadlines() const { return deadlines_; }
  std::unique_ptr<ClientConnection> release() { return std::move(connection_); }

 private:
  std::unique_ptr<ClientConnection> connection_;
  DuplexDeadlines deadlines_;
};

// The answer's body: speaks whenever it would have to wait.
class Conversation final : public Source {
 public:
  Conversation(Line line, std::unique_ptr<Source> speech)
      : line_(std::move(line)), speech_(std::move(speech)), piece_(kHeadRoom + kPiece + 2, '\0') {}
  // Five bytes fit in, or the other side is gone.
  ~Conversation() override {
    constexpr std::string_view kEnd = "0\r\n\r\n";
    if (!cut_) ::send(line_.fd(), kEnd.data(), kEnd.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  std::size_t read(std::span<char> out) override {
    while (!ended_) {
      if (line_.in().empty()) more();
      const auto step = decoder_.decode(line_.in().view(), out);
      line_.in().consume(step.consumed);
      if (decoder_.broken()) throw BodyError(BodyError::Kind::kIo, "broken chunked framing");
      ended_ = decoder_.done();
      if (step.produced > 0) return step.produced;
    }
    return 0;
  }

 private:
  void more() {
    try {
      speak();
      if (!line_.receive(line_.deadlines().answer))
        throw BodyError(BodyError::Kind::kIo, "early disconnect");
    } catch (const TransportError& error) {
      cut_ = true;
      throw BodyError(BodyError::Kind::kIo, error.what());
    } catch (...) {
      cut_ = true;
      throw;
    }
  }

  // A piece is framed in place: its size in hex in front, a line end behind.
  void speak() {
    while (!line_.heard()) {
      const std::size_t count = speech_->read(std::span(piece_).subspan(kHeadRoom, kPiece));
      if (count == 0) return;
      std::array<char, kHeadRoom> size{};
      char* end = std::to_chars(size.data(), size.data() + kHeadRoom - 2, count, 16).ptr;
      *end++ = '\r';
      *end++ = '\n';
      const auto length = static_cast<std::size_t>(end - size.data());
      std::copy(size.data(), end, piece_.begin() + static_cast<std::ptrdiff_t>(kHeadRoom - length));
      piece_[kHeadRoom + count] = '\r';
      piece_[kHeadRoom + count + 1] = '\n';
      const std::size_t start = kHeadRoom - length;
      // Why it takes no more may still be there to read.
      if (!line_.send(std::string_view(piece_).substr(start, length + count + 2))) return;
    }
  }

  static constexpr std::size_t kHeadRoom = 18;

  Line line_;
  std::unique_ptr<Source> speech_;
  std::string piece_;
  http::ChunkDecoder decoder_;
  bool ended_ = false;
  bool cut_ = false;  ///< the speech ends where it must not be taken for whole
};

Response refusal(Line line, const http::ResponseHead& head, Response out) {
  using Framing = http::ClientBody::Framing;
  if (head.content_length == 0) return out;
  const Framing framing = head.chunked          ? Framing::kChunked
                          : head.content_length ? Framing::kLength
                                                : Framing::kUntilClose;
  const Milliseconds patience = line.deadlines().head;
  out.body = std::make_unique<http::ClientBody>(line.release(), nullptr, framing,
                                                head.content_length.value_or(0), false, patience);
  return out;
}

Response answer_of(Line line, std::unique_ptr<Source> speech) {
  http::HeadScanner scanner;
  for (int informational = 0; informational <= kMaxInformational;) {
    const auto state = scanner.feed(line.in().view(), kAnswerLimits);
    if (state == http::HeadScanner::State::kMore) {
      if (!line.receive(line.deadlines().head))
        throw line.error(Kind::kReset, "closed without an answer");
      continue;
    }
    http::ResponseHead head;
    if (state == http::HeadScanner::State::kRefused ||
        !http::parse_response_head(line.in().view().substr(0, scanner.size()), head)) {
      throw line.error(Kind::kMalformed, "the answer is not HTTP");
    }
    if (head.status < 200) {
      line.in().consume(scanner.size());
      scanner.reset();
      ++informational;
      continue;
    }
    Response out;
    http::fill_response(head, out);
    line.in().consume(scanner.size());
    if (head.status != 200) return refusal(std::move(line), head, std::move(out));
    if (!head.chunked) throw line.error(Kind::kMalformed, "the answer is no conversation");
    out.body = std::make_unique<Conversation>(std::move(line), std::move(speech));
    return out;
  }
  throw line.error(Kind::kMalformed, "one informational answer after the other");
}

}  // namespace

Outcome converse(Transport& transport, Call call, const DuplexDeadlines& deadlines) {
  const auto* here = dynamic_cast<const LocalTransport*>(&transport);
  if (here != nullptr && here->find(call.endpoint) != nullptr)
    return transport.call(std::move(call), {deadlines.connect, deadlines.answer});
  Outcome out;
  try {
    call.request.content_length.reset();
    const std::string head = http::build_request_head(call, true, false);
    Line line(call.endpoint, deadlines);
    if (!line.send(head)) throw line.error(Kind::kReset, "closed before the request");
    out.response = answer_of(std::move(line), std::move(call.request.body));
  } catch (const TransportError& error) {
    out.error.emplace(error);
  }
  return out;
}

}  // namespace apus
