#include "framework/http/connection.h"

#include <apus/log.h>

#include "framework/http/front.h"

namespace apus::http {
namespace {

// What is read and thrown away of a body nobody wanted, so that the connection can go on.
constexpr std::uint64_t kDrain = 65536;

}  // namespace

Connection::Connection(const Poco::Net::StreamSocket& ticket, std::unique_ptr<Link> link,
                       Service& service, Front& front)
    : TCPServerConnection(ticket), link_(std::move(link)), service_(service), front_(front) {}

Connection::~Connection() {
  if (link_) front_.forget(*link_);
}

bool Connection::may_linger() const { return !service_.stopping && !front_.crowded(); }

Connection::Head Connection::read_head() {
  while (true) {
    switch (link_->scanner.feed(link_->in.view(), service_.limits)) {
      case HeadScanner::State::kComplete:
        return Head::kComplete;
      case HeadScanner::State::kRefused:
        refused_ = link_->scanner.status();
        return Head::kRefused;
      case HeadScanner::State::kMore:
        break;
    }
    if (!link_->in.empty() && !link_->in_head) {
      link_->in_head = true;
      link_->deadline = Steady::now() + service_.conf.header_timeout;
    }
    const std::span<char> room = link_->in.room();
    const Wire::Got got = link_->wire.receive_soon(room, may_linger());
    if (got.status == Wire::Status::kTimeout) return Head::kSilent;
    if (got.status != Wire::Status::kOk) return Head::kGone;
    link_->in.filled(got.count);
    if (link_->in_head && Steady::now() > link_->deadline) return Head::kGone;
  }
}

void Connection::run() {
  After after = After::kNextRequest;
  while (after == After::kNextRequest && !service_.stopping) {
    switch (read_head()) {
      case Head::kComplete:
        after = serve();
        served_ = true;
        break;
      case Head::kSilent:
        return sleep();
      case Head::kGone:
        return;
      case Head::kRefused:
        after = refuse(refused_);
        break;
    }
  }
  if (after == After::kGoodbye) front_.see_off(std::move(link_));
}

void Connection::sleep() {
  if (served_ && !link_->in_head) link_->deadline = Steady::now() + service_.conf.keepalive_timeout;
  link_->in.rest();
  front_.park(std::move(link_));
}

Connection::After Connection::refuse(int status) {
  Response response = error_response(status);
  response.close_connection = true;
  const std::string id = front_.new_trans_id();
  response.headers.set("X-Trans-Id", id);
  response.headers.set("X-Openstack-Request-Id", id);
  ResponseWriter writer(link_->wire, service_.host.clock(), service_.conf.client_timeout);
  const Written written = writer.write(response, Framing{.keep_alive = false});
  return written == Written::kAbort ? After::kNothing : After::kGoodbye;
}

Connection::After Connection::serve() {
  const std::string_view bytes = link_->in.view().substr(0, link_->scanner.size());
  if (const int status = parse_request_head(bytes, head_)) return refuse(status);
  Request request;
  fill_request(head_, service_.conf.trusted, request);
  link_->in.consume(link_->scanner.size());
  link_->scanner.reset();
  link_->in_head = false;

  request.context.remote_address = link_->remote_address;
  request.context.local_address = link_->local_address;
  if (link_->wire.secure()) request.context.scheme = "https";
  std::shared_ptr<BodyState> body;
  struct Detach {
    std::shared_ptr<BodyState>& body;
    ~Detach() {
      if (body) body->detach();
    }
  } const detach{body};
  if (head_.chunked || head_.content_length.value_or(0) > 0) {
    body = std::make_shared<BodyState>(link_->wire, link_->in, head_.content_length,
                                       head_.expect_continue, service_.conf.client_timeout);
    request.body = std::make_unique<RequestBody>(body);
  }
  const Framing framing{.head_request = request.method == "HEAD",
                        .http_1_0 = head_.minor == 0,
                        .keep_alive = head_.keep_alive,
                        .trusted = service_.conf.trusted};
  // The App may change the request; what it leaves of it dies before the next one is read.
  Response response = answer(request, body.get());
  const Written written = send(response, request, framing, body.get());
  response.body.reset();
  return finish(written, body.get(), response.status);
}

Response Connection::answer(Request& request, const BodyState* body) {
  const bool head = request.method == "HEAD";
  Response failed;
  try {
    return (*service_.app)(request);
  } catch (const BodyError& error) {
    failed = error_response(error.status(), head);
    service_.log_error(std::string("body error: ") + error.what(), request.context.trans_id);
  } catch (const std::exception& error) {
    failed = error_response(500, head);
    service_.log_error(std::string("uncaught exception: ") + error.what(),
                       request.context.trans_id);
  } catch (...) {
    failed = error_response(500, head);
    service_.log_error("uncaught exception of no known type", request.context.trans_id);
  }
  if (!request.context.trans_id.empty()) {
    failed.headers.set("X-Trans-Id", request.context.trans_id);
    failed.headers.set("X-Openstack-Request-Id", request.context.trans_id);
  }
  failed.close_connection = body != nullptr && body->failed();
  return failed;
}

Written Connection::send(Response& response, const Request& request, Framing framing,
                         BodyState* body) {
  // A client that was not told to go on may send its body or not: nothing after it can be trusted.
  if (body != nullptr && !body->at_end()) {
    const bool endless = body->held_back() || body->failed() || body->left().value_or(0) > kDrain;
    framing.keep_alive = framing.keep_alive && !endless;
  }
  framing.keep_alive = framing.keep_alive && !service_.draining;
  ResponseWriter writer(link_->wire, service_.host.clock(), service_.conf.client_timeout);
  std::string problem;
  try {
    return writer.write(response, framing);
  } catch (const std::exception& error) {
    problem = error.what();
  } catch (...) {
    problem = "of no known type";
  }
  service_.log_error("exception in a response body: " + problem, request.context.trans_id);
  if (writer.head_sent()) return Written::kAbort;
  response = error_response(500, framing.head_request);
  framing.keep_alive = false;
  return writer.write(response, framing);
}

Connection::After Connection::finish(Written written, BodyState* body, int status) {
  if (written == Written::kAbort) {
    // A reset, not an orderly end: a close-delimited body must not look complete.
    link_->wire.abort();
    return After::kNothing;
  }
  if (written == Written::kKeep && (body == nullptr || body->at_end())) return After::kNextRequest;
  if (written == Written::kKeep && !body->failed() && !body->held_back()) {
    try {
      RequestBody rest{std::shared_ptr<BodyState>(std::shared_ptr<void>(), body)};
      if (drain(&rest, kDrain)) return After::kNextRequest;
    } catch (const BodyError&) {
      return After::kNothing;
    }
  }
  // A client that was told of the close by this answer alone may have sent more by now.
  const bool unread = (body != nullptr && !body->at_end()) || !link_->in.empty() || status >= 400 ||
                      service_.draining;
  return unread ? After::kGoodbye : After::kNothing;
}

}  // namespace apus::http
