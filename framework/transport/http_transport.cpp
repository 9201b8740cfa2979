#include "framework/transport/http_transport.h"

#include <array>

#include "framework/transport/footer_envelope.h"
#include "framework/transport/http_exchange.h"
#include "framework/transport/http_upload.h"
#include "framework/transport/http_volley.h"

namespace apus {
namespace {

using http::BodyFraming;
using http::Exchange;

constexpr std::size_t kBodyPiece = 65536;

BodyFraming framing_of(const Request& request) {
  if (!request.body || request.content_length == 0) return BodyFraming::kNone;
  return request.content_length ? BodyFraming::kLength : BodyFraming::kChunked;
}

using One = std::span<const std::unique_ptr<Exchange>>;

void send_piece(One one, std::string_view bytes) {
  if (!one[0]->takes_body()) return;
  one[0]->send_piece(bytes);
  http::drive(one);
}

// Until the end, or the server answers before it.
void send_body(One one) {
  const std::unique_ptr<char[]> buffer(new char[kBodyPiece]);
  while (one[0]->takes_body()) {
    const std::size_t count = one[0]->body()->read({buffer.get(), kBodyPiece});
    if (count == 0) return;
    send_piece(one, {buffer.get(), count});
  }
}

void send_in_envelope(One one, const http::FooterEnvelope& envelope,
                      const std::function<void(Headers&)>& update_footers) {
  send_piece(one, envelope.opening());
  send_body(one);
  if (!one[0]->takes_body()) return;
  Headers footers;
  update_footers(footers);
  send_piece(one, envelope.closing(footers));
}

}  // namespace

HttpTransport::HttpTransport(HttpTransportConf conf)
    : pool_(std::make_shared<http::ConnectionPool>(conf.max_idle, conf.max_idle_age)),
      entropy_(conf.entropy) {}
HttpTransport::~HttpTransport() = default;

std::size_t HttpTransport::idle_connections() const { return pool_->idle(); }

Outcome HttpTransport::call(Call call, const Deadlines& deadlines) {
  std::optional<http::FooterEnvelope> envelope;
  const auto update_footers = call.request.context.update_footers;
  if (update_footers && call.request.body) {
    if (entropy_ == nullptr) return http::no_boundary();
    envelope.emplace(entropy_->hex(32));
    envelope->dress(call.request);
  }
  const BodyFraming framing = framing_of(call.request);
  std::array<std::unique_ptr<Exchange>, 1> one = {
      std::make_unique<Exchange>(std::move(call), deadlines, pool_, framing)};
  one[0]->start();
  http::drive(one);
  if (envelope) {
    send_in_envelope(one, *envelope, update_footers);
  } else if (framing != BodyFraming::kNone) {
    send_body(one);
  }
  if (framing != BodyFraming::kNone) one[0]->end_body();
  http::drive(one);
  return one[0]->take_outcome();
}

std::vector<Outcome> HttpTransport::gather(
    std::vector<Call> calls, const Deadlines& deadlines,
    const std::function<bool(const std::vector<std::optional<Outcome>>&)>& enough,
    std::chrono::milliseconds straggler) {
  std::vector<std::unique_ptr<Exchange>> exchanges;
  exchanges.reserve(calls.size());
  for (auto& call : calls) {
    exchanges.push_back(
        std::make_unique<Exchange>(std::move(call), deadlines, pool_, BodyFraming::kNone));
    exchanges.back()->start();
  }
  return http::collect(exchanges, enough, straggler);
}

std::unique_ptr<Upload> HttpTransport::upload(const Deadlines& deadlines) {
  return std::make_unique<http::HttpUpload>(deadlines, pool_, entropy_);
}

std::unique_ptr<Volley> HttpTransport::volley(const Deadlines& deadlines) {
  return std::make_unique<http::HttpVolley>(deadlines, pool_);
}

}  // namespace apus
