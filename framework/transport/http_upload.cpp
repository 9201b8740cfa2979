#include "framework/transport/http_upload.h"

#include <algorithm>

namespace apus::http {
Outcome no_boundary() {
  return {std::nullopt, TransportError(TransportError::Kind::kMalformed,
                                       "footers need a transport with entropy")};
}

bool HttpUpload::dress(Request& request) {
  if (!request.context.update_footers) return true;
  if (entropy_ == nullptr) return false;
  if (!envelope_) {
    envelope_.emplace(entropy_->hex(32));
    update_footers_ = request.context.update_footers;
  }
  envelope_->dress(request);
  return true;
}

std::vector<std::optional<Outcome>> HttpUpload::open(std::vector<Call> calls) {
  std::vector<std::unique_ptr<Exchange>> opening;
  for (auto& call : calls) {
    if (!dress(call.request)) {
      std::vector<std::optional<Outcome>> none(calls.size());
      for (auto& outcome : none) outcome = no_boundary();
      return none;
    }
    // One of no bytes goes chunked: whoever is to take it is asked first, as for any other, and it
    // is nowhere before `finish`.
    if (call.request.content_length == 0U) call.request.content_length.reset();
    const BodyFraming framing =
        call.request.content_length ? BodyFraming::kLength : BodyFraming::kChunked;
    opening.push_back(std::make_unique<Exchange>(std::move(call), deadlines_, pool_, framing));
    opening.back()->start();
  }
  drive(opening);
  std::vector<std::optional<Outcome>> out(opening.size());
  for (std::size_t i = 0; i < opening.size(); ++i) {
    if (opening[i]->takes_body()) {
      copies_.push_back(std::move(opening[i]));
    } else {
      out[i] = opening[i]->take_outcome();
    }
  }
  return out;
}

void HttpUpload::send_whole(std::vector<Call> calls, std::string_view body) {
  for (auto& call : calls) {
    call.request.content_length = body.size();
    copies_.push_back(std::make_unique<Exchange>(std::move(call), deadlines_, pool_, body));
    copies_.back()->start();
  }
  const auto asking = [](const auto& copy) { return copy->asking(); };
  while (std::any_of(copies_.begin(), copies_.end(), asking)) {
    if (!step(copies_, Steady::time_point::max())) return;
  }
}

std::size_t HttpUpload::alive() const {
  const auto count = std::count_if(copies_.begin(), copies_.end(), [](const auto& copy) {
    return copy->takes_body() || copy->succeeded();
  });
  return static_cast<std::size_t>(count);
}

void HttpUpload::send(std::span<const char> bytes) {
  for (const auto& copy : copies_) {
    if (copy->takes_body()) copy->send_piece(bytes);
  }
  drive(copies_);
}

void HttpUpload::begin() {
  if (begun_) return;
  begun_ = true;
  if (envelope_) send(envelope_->opening());
}

void HttpUpload::write(std::span<const char> bytes) {
  if (bytes.empty()) return;
  begin();
  send(bytes);
}

std::vector<Outcome> HttpUpload::finish(const Enough& enough, std::chrono::milliseconds straggler) {
  begin();
  if (envelope_ && alive() > 0) {
    Headers footers;
    update_footers_(footers);
    send(envelope_->closing(footers));
  }
  for (const auto& copy : copies_) copy->end_body();
  auto outcomes = collect(copies_, enough, straggler);
  copies_.clear();
  return outcomes;
}

}  // namespace apus::http
