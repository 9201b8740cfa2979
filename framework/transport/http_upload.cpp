#include "framework/transport/http_upload.h"

#include <algorithm>

namespace apus::http {
namespace {

BodyFraming announced(const Request& request) {
  if (!request.content_length) return BodyFraming::kChunked;
  return *request.content_length == 0 ? BodyFraming::kNone : BodyFraming::kLength;
}

}  // namespace

std::vector<std::optional<Outcome>> HttpUpload::open(std::vector<Call> calls) {
  std::vector<std::unique_ptr<Exchange>> opening;
  std::vector<bool> empty;
  for (auto& call : calls) {
    const BodyFraming framing = announced(call.request);
    empty.push_back(framing == BodyFraming::kNone);
    opening.push_back(std::make_unique<Exchange>(std::move(call), deadlines_, pool_, framing));
    opening.back()->start();
  }
  drive(opening);
  std::vector<std::optional<Outcome>> out(opening.size());
  for (std::size_t i = 0; i < opening.size(); ++i) {
    if (opening[i]->takes_body() || (empty[i] && opening[i]->succeeded())) {
      copies_.push_back(std::move(opening[i]));
    } else {
      out[i] = opening[i]->take_outcome();
    }
  }
  return out;
}

std::size_t HttpUpload::alive() const {
  const auto count = std::count_if(copies_.begin(), copies_.end(), [](const auto& copy) {
    return copy->takes_body() || copy->succeeded();
  });
  return static_cast<std::size_t>(count);
}

void HttpUpload::write(std::span<const char> bytes) {
  if (bytes.empty()) return;
  for (const auto& copy : copies_) {
    if (copy->takes_body()) copy->send_piece(bytes);
  }
  drive(copies_);
}

std::vector<Outcome> HttpUpload::finish(const Enough& enough, std::chrono::milliseconds straggler) {
  for (const auto& copy : copies_) copy->end_body();
  auto outcomes = collect(copies_, enough, straggler);
  copies_.clear();
  return outcomes;
}

}  // namespace apus::http
