#include <poll.h>

#include <algorithm>

#include "framework/transport/http_exchange.h"

namespace apus::http {
namespace {

int wait_of(Steady::time_point until) {
  if (until == Steady::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Steady::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 1 << 30));
}

}  // namespace

bool step(std::span<const std::unique_ptr<Exchange>> exchanges, Steady::time_point limit) {
  std::vector<pollfd> entries;
  std::vector<Exchange*> owners;
  for (const auto& exchange : exchanges) {
    if (!exchange || !exchange->busy()) continue;
    entries.push_back({exchange->fd(), exchange->events(), 0});
    owners.push_back(exchange.get());
    limit = std::min(limit, exchange->deadline());
  }
  if (entries.empty()) return false;
  const int count = ::poll(entries.data(), entries.size(), wait_of(limit));
  const auto now = Steady::now();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (count > 0 && entries[i].revents != 0) {
      owners[i]->advance();
    } else if (owners[i]->deadline() <= now) {
      owners[i]->time_out();
    }
  }
  return true;
}

void drive(std::span<const std::unique_ptr<Exchange>> exchanges) {
  while (step(exchanges, Steady::time_point::max())) {
  }
}

std::vector<Outcome> collect(std::span<const std::unique_ptr<Exchange>> exchanges,
                             const Enough& enough, std::chrono::milliseconds straggler) {
  std::vector<std::optional<Outcome>> found(exchanges.size());
  auto limit = Steady::time_point::max();
  bool news = true;  // what there is besides may be enough already
  while (true) {
    for (std::size_t i = 0; i < exchanges.size(); ++i) {
      if (found[i] || !exchanges[i]->done()) continue;
      found[i] = exchanges[i]->take_outcome();
      news = true;
    }
    const bool waits = limit == Steady::time_point::max();
    if (news && waits && enough && enough(found)) limit = Steady::now() + straggler;
    news = false;
    if (Steady::now() >= limit || !step(exchanges, limit)) break;
  }
  std::vector<Outcome> out(exchanges.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (found[i]) {
      out[i] = std::move(*found[i]);
    } else if (exchanges[i]->done()) {
      out[i] = exchanges[i]->take_outcome();
    } else {
      out[i].error.emplace(TransportError::Kind::kLeft, "enough others had answered");
    }
  }
  return out;
}

}  // namespace apus::http
