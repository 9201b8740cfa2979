#include <apus/testing/clock.h>

namespace apus::testing {

FakeClock::FakeClock(double now) : now_(now) {}
FakeClock::~FakeClock() = default;

double FakeClock::now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

Clock::Steady FakeClock::steady() const {
  const std::lock_guard lock(mutex_);
  return steady_;
}

void FakeClock::sleep(std::chrono::nanoseconds duration) {
  advance(duration);
  const std::lock_guard lock(mutex_);
  slept_ += duration;
}

void FakeClock::advance(std::chrono::nanoseconds duration) {
  const std::lock_guard lock(mutex_);
  steady_ += std::chrono::duration_cast<Steady::duration>(duration);
  now_ += std::chrono::duration<double>(duration).count();
}

void FakeClock::set(double now) {
  const std::lock_guard lock(mutex_);
  now_ = now;
}

std::chrono::nanoseconds FakeClock::slept() const {
  const std::lock_guard lock(mutex_);
  return slept_;
}

}  // namespace apus::testing
