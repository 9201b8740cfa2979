#include "framework/backend/pace.h"

#include <algorithm>

namespace apus {

Pace::Pace(Clock& clock, double per_second)
    : clock_(clock), step_(per_second > 0 ? 1e9 / per_second : 0), next_(clock.steady()) {}

void Pace::wait(const std::stop_token& stop, std::uint64_t amount) {
  if (step_ <= 0) return;
  std::chrono::nanoseconds delay{0};
  {
    const std::lock_guard lock(mutex_);
    const Clock::Steady now = clock_.steady();
    next_ = std::max(next_, now);
    delay = next_ - now;
    next_ += std::chrono::nanoseconds(
        static_cast<std::int64_t>(std::min(step_ * static_cast<double>(amount), 1e18)));
  }
  sleep_unless_stopped(clock_, delay, stop);
}

void sleep_unless_stopped(Clock& clock, std::chrono::nanoseconds duration,
                          const std::stop_token& stop) {
  constexpr std::chrono::nanoseconds kPiece = std::chrono::milliseconds(200);
  while (duration.count() > 0 && !stop.stop_requested()) {
    const auto piece = std::min(duration, kPiece);
    clock.sleep(piece);
    duration -= piece;
  }
}

void repeat_passes(Host& host, std::chrono::milliseconds interval, const std::stop_token& stop,
                   const std::function<void()>& pass) {
  Clock& clock = host.clock();
  const auto milliseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(interval.count(), 1));
  sleep_unless_stopped(clock, std::chrono::milliseconds(host.entropy().below(milliseconds)), stop);
  while (!stop.stop_requested()) {
    const Clock::Steady begin = clock.steady();
    pass();
    sleep_unless_stopped(clock, interval - (clock.steady() - begin), stop);
  }
}

}  // namespace apus
