#include "framework/host/real_time.h"

#include <sys/random.h>

#include <cerrno>
#include <ctime>
#include <system_error>
#include <thread>

namespace apus {

RealClock::RealClock() = default;
RealClock::~RealClock() = default;

double RealClock::now() const {
  std::timespec at{};
  clock_gettime(CLOCK_REALTIME, &at);
  return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_nsec) * 1e-9;
}

Clock::Steady RealClock::steady() const { return std::chrono::steady_clock::now(); }

void RealClock::sleep(std::chrono::nanoseconds duration) { std::this_thread::sleep_for(duration); }

RealEntropy::RealEntropy() = default;
RealEntropy::~RealEntropy() = default;

void RealEntropy::fill(std::span<char> out) {
  while (!out.empty()) {
    const ssize_t count = getrandom(out.data(), out.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw std::system_error(errno, std::generic_category(), "getrandom");
    out = out.subspan(static_cast<std::size_t>(count));
  }
}

}  // namespace apus
