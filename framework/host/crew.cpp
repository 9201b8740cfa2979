#include <apus/crew.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace apus {
namespace {

// What the threads of one call share.
class Round {
 public:
  Round(std::size_t count, const std::function<void(std::size_t)>& work)
      : count_(count), work_(work) {}

  void run() {
    for (std::size_t i = next_++; i < count_; i = next_++) {
      try {
        work_(i);
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::current_exception();
        next_ = count_;
      }
    }
  }
  void raise_if_failed() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  std::size_t count_;
  const std::function<void(std::size_t)>& work_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  std::exception_ptr failure_;
};

}  // namespace

Crew::Crew(std::size_t helpers) : free_(static_cast<std::ptrdiff_t>(helpers)) {}

void Crew::each(std::size_t count, std::size_t width,
                const std::function<void(std::size_t)>& work) const {
  Round round(count, work);
  {
    std::vector<std::jthread> helpers;
    while (helpers.size() + 1 < std::min(count, width) && free_.try_acquire()) {
      try {
        helpers.emplace_back([&] {
          round.run();
          free_.release();
        });
      } catch (const std::system_error&) {
        free_.release();  // no more threads: those that are there do it
        break;
      }
    }
    round.run();
  }
  round.raise_if_failed();
}

}  // namespace apus
