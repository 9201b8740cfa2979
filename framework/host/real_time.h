// Time and chance as the kernel gives them.
#pragma once

#include <apus/host.h>

namespace apus {

/// CLOCK_REALTIME, steady_clock and nanosleep.
class APUS_API RealClock final : public Clock {
 public:
  RealClock();
  ~RealClock() override;
  [[nodiscard]] double now() const override;
  [[nodiscard]] Steady steady() const override;
  void sleep(std::chrono::nanoseconds duration) override;
};

/// getrandom(2). Throws std::system_error when the kernel refuses.
class APUS_API RealEntropy final : public Entropy {
 public:
  RealEntropy();
  ~RealEntropy() override;
  void fill(std::span<char> out) override;
};

}  // namespace apus
