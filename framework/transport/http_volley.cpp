#include "framework/transport/http_volley.h"

namespace apus::http {

std::size_t HttpVolley::add(Call call) {
  exchanges_.push_back(
      std::make_unique<Exchange>(std::move(call), deadlines_, pool_, BodyFraming::kNone));
  exchanges_.back()->start();
  ++under_way_;
  return exchanges_.size() - 1;
}

std::optional<Volley::Done> HttpVolley::take_done() {
  for (std::size_t i = 0; i < exchanges_.size(); ++i) {
    if (!exchanges_[i] || !exchanges_[i]->done()) continue;
    Done out{i, exchanges_[i]->take_outcome()};
    exchanges_[i].reset();
    --under_way_;
    return out;
  }
  return std::nullopt;
}

std::optional<Volley::Done> HttpVolley::wait(std::optional<std::chrono::milliseconds> longest) {
  const auto limit = longest ? Steady::now() + *longest : Steady::time_point::max();
  while (true) {
    if (auto done = take_done()) return done;
    if (!step(exchanges_, limit)) return std::nullopt;
    if (Steady::now() >= limit) return take_done();
  }
}

}  // namespace apus::http
