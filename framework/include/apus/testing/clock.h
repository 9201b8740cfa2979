// Time that stands still until a test moves it.
#pragma once

#include <apus/host.h>

#include <mutex>

namespace apus::testing {

/// Starts at a fixed moment; `sleep` moves it instead of waiting. Thread-safe.
class FakeClock final : public Clock {
 public:
  /// Seconds since 1970.
  static constexpr double kStart = 1'700'000'000.0;

  explicit FakeClock(double now = kStart);
  ~FakeClock() override;

  [[nodiscard]] double now() const override;
  [[nodiscard]] Steady steady() const override;
  void sleep(std::chrono::nanoseconds duration) override;

  /// Moves both clocks on.
  void advance(std::chrono::nanoseconds duration);
  /// Sets the wall clock alone, as an operator or NTP does.
  void set(double now);
  /// All that `sleep` was asked for so far.
  [[nodiscard]] std::chrono::nanoseconds slept() const;

 private:
  mutable std::mutex mutex_;
  double now_;
  Steady steady_{std::chrono::hours(1)};
  std::chrono::nanoseconds slept_{0};
};

}  // namespace apus::testing
