// How fast daemons go, and how they wait.
#pragma once

#include <apus/app.h>
#include <apus/host.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>

namespace apus {

/// At most so many steps a second, over all threads that share it. Thread-safe.
class APUS_API Pace {
 public:
  /// `per_second` 0 = no bound.
  Pace(Clock& clock, double per_second);
  /// Returns when the next step is due, or at once when `stop` is requested. It counts as `amount`
  /// steps (bytes, say): the one after it is due so much later.
  void wait(const std::stop_token& stop, std::uint64_t amount = 1);

 private:
  Clock& clock_;
  double step_;  ///< ns
  std::mutex mutex_;
  Clock::Steady next_;
};

/// Sleeps for `duration`, in short pieces so that `stop` is seen soon.
APUS_API void sleep_unless_stopped(Clock& clock, std::chrono::nanoseconds duration,
                                   const std::stop_token& stop);

/// A daemon's life: a random part of `interval` first, so that a cluster's daemons do not start as
/// one, then passes that begin `interval` apart, or at once when one took longer.
APUS_API void repeat_passes(Host& host, std::chrono::milliseconds interval,
                            const std::stop_token& stop, const std::function<void()>& pass);

}  // namespace apus
