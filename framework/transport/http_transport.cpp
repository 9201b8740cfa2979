#include "framework/transport/http_transport.h"

#include <array>

#include "framework/transport/http_exchange.h"
#include "framework/transport/http_upload.h"

namespace apus {
namespace {

using http::BodyFraming;
using http::Exchange;

constexpr std::size_t kPiece = 65536;

BodyFraming framing_of(const Request& request) {
  if (!request.body || request.content_length == 0) return BodyFraming::kNone;
  return request.content_length ? BodyFraming::kLength : BodyFraming::kChunked;
}

// Until the end, or the server answers before it.
void send_body(std::span<const std::unique_ptr<Exchange>> one) {
  Exchange& exchange = *one[0];
  const std::unique_ptr<char[]> buffer(new char[kPiece]);
  while (exchange.takes_body()) {
    const std::size_t count = exchange.body()->read({buffer.get(), kPiece});
    if (count == 0) return exchange.end_body();
    exchange.send_piece({buffer.get(), count});
    http::drive(one);
  }
}

}  // namespace

HttpTransport::HttpTransport(HttpTransportConf conf)
    : pool_(std::make_shared<http::ConnectionPool>(conf.max_idle, conf.max_idle_age)) {}
HttpTransport::~HttpTransport() = default;

std::size_t HttpTransport::idle_connections() const { return pool_->idle(); }

Outcome HttpTransport::call(Call call, const Deadlines& deadlines) {
  const BodyFraming framing = framing_of(call.request);
  std::array<std::unique_ptr<Exchange>, 1> one = {
      std::make_unique<Exchange>(std::move(call), deadlines, pool_, framing)};
  one[0]->start();
  http::drive(one);
  if (framing != BodyFraming::kNone) send_body(one);
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
  return std::make_unique<http::HttpUpload>(deadlines, pool_);
}

}  // namespace apus
