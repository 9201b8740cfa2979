#include "framework/host/real_time.h"

#include <pthread.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
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

namespace {

void from_kernel(std::span<char> out) {
  while (!out.empty()) {
    const ssize_t count = getrandom(out.data(), out.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw std::system_error(errno, std::generic_category(), "getrandom");
    out = out.subspan(static_cast<std::size_t>(count));
  }
}

// Counts forks: a child must not hand out what its parent hands out.
std::atomic<unsigned> forks{0};
const int kWatching = pthread_atfork(nullptr, nullptr, [] { ++forks; });

// A thread's store of random bytes: one system call for many small wishes. Bytes that went out are
// wiped.
class Pool {
 public:
  void fill(std::span<char> out) {
    if (made_for_ != forks || out.size() > bytes_.size() - at_) refill();
    std::memcpy(out.data(), bytes_.data() + at_, out.size());
    explicit_bzero(bytes_.data() + at_, out.size());
    at_ += out.size();
  }
  static constexpr std::size_t kMost = 64;

 private:
  void refill() {
    made_for_ = forks;
    from_kernel(bytes_);
    at_ = 0;
  }

  std::array<char, 1024> bytes_;
  std::size_t at_ = bytes_.size();
  unsigned made_for_ = 0;
};

}  // namespace

RealEntropy::RealEntropy() = default;
RealEntropy::~RealEntropy() = default;

void RealEntropy::fill(std::span<char> out) {
  if (kWatching != 0 || out.size() > Pool::kMost) return from_kernel(out);
  thread_local Pool pool;
  pool.fill(out);
}

}  // namespace apus
