#include "framework/transport/http_exchange.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <system_error>

#include "framework/transport/http_body.h"

namespace apus::http {
namespace {

using Kind = TransportError::Kind;

constexpr int kMaxInformational = 16;
// Answers carry listings' and objects' whole metadata: wider than what clients may send.
constexpr HeadLimits kAnswerLimits{
    .request_line = 8192, .header_line = 65536, .header_count = 1024, .total = 262144};

}  // namespace

Exchange::Exchange(Call call, const Deadlines& deadlines, std::shared_ptr<ConnectionPool> pool,
                   BodyFraming framing)
    : call_(std::move(call)),
      deadlines_(deadlines),
      pool_(std::move(pool)),
      framing_(framing),
      body_left_(call_.request.content_length.value_or(0)) {}

Exchange::Exchange(Call call, const Deadlines& deadlines, std::shared_ptr<ConnectionPool> pool,
                   std::string_view whole_body)
    : Exchange(std::move(call), deadlines, std::move(pool),
               whole_body.empty() ? BodyFraming::kNone : BodyFraming::kLength) {
  body_here_ = whole_body;
  body_whole_ = true;
}

void Exchange::fail(Kind kind, const std::string& what) {
  connection_.reset();
  outcome_.error.emplace(
      kind, call_.endpoint.ip + ":" + std::to_string(call_.endpoint.port) + ": " + what);
  phase_ = Phase::kDone;
}

// The peer may close an idle connection just as a request leaves: that one is sent once more.
void Exchange::lost(const char* what) {
  if (connection_->reused && !answered_ && !body_begun_) return connect(true);
  fail(Kind::kReset, what);
}

void Exchange::enter(Phase phase) {
  phase_ = phase;
  const auto span = phase == Phase::kConnecting ? deadlines_.connect : deadlines_.response;
  deadline_ = span.count() == 0 ? Steady::time_point::max() : Steady::now() + span;
}

void Exchange::start() { connect(false); }

void Exchange::connect(bool fresh) {
  try {
    connection_ = fresh ? nullptr : pool_->take(call_.endpoint);
    const bool has_body = framing_ != BodyFraming::kNone;
    // Who answered on this connection before is awake.
    asks_ = has_body && !(body_whole_ && connection_);
    head_ = build_request_head(call_, has_body, asks_);
    out_ = {std::string_view(head_), asks_ ? std::string_view() : body_here_, {}};
    scanner_.reset();
    if (connection_) {
      enter(Phase::kHead);
      return send_some();
    }
    connection_ = std::make_unique<ClientConnection>(call_.endpoint);
    enter(Phase::kConnecting);
  } catch (const TransportError& error) {
    fail(error.kind(), error.what());
  }
}

short Exchange::events() const {
  switch (phase_) {
    case Phase::kConnecting:
      return POLLOUT;
    case Phase::kHead:
    case Phase::kPiece:
      return POLLOUT | POLLIN;
    default:
      return POLLIN;
  }
}

void Exchange::advance() {
  switch (phase_) {
    case Phase::kConnecting:
      if (const int code = connection_->connect_error()) {
        return fail(Kind::kConnect, std::generic_category().message(code));
      }
      enter(Phase::kHead);
      return send_some();
    case Phase::kHead:
    case Phase::kPiece:
      // An answer that comes before all is sent is final: the server wants no more.
      receive_some();
      if (phase_ == Phase::kHead || phase_ == Phase::kPiece) send_some();
      return;
    case Phase::kContinue:
    case Phase::kAnswer:
      return receive_some();
    case Phase::kReady:
    case Phase::kDone:
      return;
  }
}

void Exchange::time_out() {
  if (phase_ == Phase::kConnecting) return fail(Kind::kConnect, "not connected in time");
  fail(Kind::kTimeout, "silent for too long");
}

void Exchange::send_some() {
  while (true) {
    std::array<iovec, 3> parts{};
    std::size_t used = 0;
    for (const auto& piece : out_) {
      if (!piece.empty()) parts[used++] = {const_cast<char*>(piece.data()), piece.size()};
    }
    if (used == 0) return sent_all();
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = used;
    const ssize_t count = ::sendmsg(connection_->fd(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      // The answer that explains why may still be there to read.
      if (!connection_->reused || answered_ || body_begun_) {
        enter(Phase::kAnswer);
        return receive_some();
      }
      return lost("connection lost while sending");
    }
    auto sent = static_cast<std::size_t>(count);
    for (auto& piece : out_) {
      const std::size_t here = std::min(sent, piece.size());
      piece.remove_prefix(here);
      sent -= here;
    }
    enter(phase_);  // progress: the clock starts anew
  }
}

void Exchange::sent_all() {
  if (phase_ == Phase::kHead) {
    enter(asks_ ? Phase::kContinue : Phase::kAnswer);
  } else if (phase_ == Phase::kPiece) {
    enter(body_whole_ ? Phase::kAnswer : Phase::kReady);
  }
}

void Exchange::receive_some() {
  while (busy()) {
    const std::span<char> room = connection_->in.room();
    const ssize_t count = ::recv(connection_->fd(), room.data(), room.size(), MSG_DONTWAIT);
    if (count > 0) {
      answered_ = true;
      connection_->in.filled(static_cast<std::size_t>(count));
      return read_heads();
    }
    if (count == 0) return lost("closed without an answer");
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    return lost("connection lost while waiting for the answer");
  }
}

// A server that does not know of footers would store the envelope as the object.
bool Exchange::takes_footers(const ResponseHead& head) const {
  if (!call_.request.internal.has("X-Backend-Obj-Metadata-Footer")) return true;
  return std::any_of(head.fields.begin(), head.fields.end(), [](const auto& field) {
    return same_name(field.name, "X-Obj-Metadata-Footer") && is_true(field.value);
  });
}

void Exchange::read_heads() {
  while (true) {
    const std::string_view bytes = connection_->in.view();
    const auto state = scanner_.feed(bytes, kAnswerLimits);
    if (state == HeadScanner::State::kMore) return;
    ResponseHead head;
    if (state == HeadScanner::State::kRefused ||
        !parse_response_head(bytes.substr(0, scanner_.size()), head)) {
      return fail(Kind::kMalformed, "the answer is not HTTP");
    }
    if (head.status >= 200) return finish_head(head);
    if (head.status == 101 || ++informational_ > kMaxInformational) {
      return fail(Kind::kMalformed, "unexpected " + std::to_string(head.status));
    }
    const bool go_on = head.status == 100 && phase_ == Phase::kContinue;
    if (go_on && !takes_footers(head)) return fail(Kind::kMalformed, "it takes no footers");
    connection_->in.consume(scanner_.size());
    scanner_.reset();
    if (!go_on) continue;
    enter(Phase::kReady);
    if (body_whole_) send_piece(body_here_);
    return;
  }
}

void Exchange::finish_head(const ResponseHead& head) {
  Response response;
  fill_response(head, response);
  const bool chunked = head.chunked;
  // What was not sent of the request would be taken for the next one.
  const bool sent = framing_ == BodyFraming::kNone || body_whole_;
  const bool keep = head.keep_alive && sent && phase_ == Phase::kAnswer;
  connection_->in.consume(scanner_.size());
  const bool bodyless = call_.request.method == "HEAD" || head.status == 204 || head.status == 304;
  if (bodyless || (!chunked && head.content_length == 0)) {
    if (keep) pool_->give(std::move(connection_));
    connection_.reset();
  } else {
    const auto framing = chunked               ? ClientBody::Framing::kChunked
                         : head.content_length ? ClientBody::Framing::kLength
                                               : ClientBody::Framing::kUntilClose;
    response.body = std::make_unique<ClientBody>(
        std::move(connection_), pool_, framing, head.content_length.value_or(0),
        keep && framing != ClientBody::Framing::kUntilClose, deadlines_.response);
  }
  outcome_.response = std::move(response);
  phase_ = Phase::kDone;
}

void Exchange::send_piece(std::span<const char> bytes) {
  if (bytes.empty()) return;
  body_begun_ = true;
  if (framing_ == BodyFraming::kChunked) {
    std::array<char, 18> size;
    auto* end = std::to_chars(size.data(), size.data() + 16, bytes.size(), 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    chunk_head_.assign(size.data(), end);
    out_ = {std::string_view(chunk_head_), std::string_view(bytes.data(), bytes.size()), "\r\n"};
  } else {
    if (bytes.size() > body_left_) return fail(Kind::kReset, "body is longer than announced");
    body_left_ -= bytes.size();
    out_ = {std::string_view(bytes.data(), bytes.size()), {}, {}};
  }
  enter(Phase::kPiece);
  send_some();
}

void Exchange::end_body() {
  if (phase_ != Phase::kReady) return;
  body_whole_ = true;
  body_begun_ = true;
  if (framing_ == BodyFraming::kLength) {
    if (body_left_ > 0) return fail(Kind::kReset, "body is shorter than announced");
    return enter(Phase::kAnswer);
  }
  out_ = {std::string_view("0\r\n\r\n"), {}, {}};
  enter(Phase::kPiece);
  send_some();
}

}  // namespace apus::http
