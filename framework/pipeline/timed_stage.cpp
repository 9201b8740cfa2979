#include "framework/pipeline/timed_stage.h"

#include <chrono>

namespace apus {
namespace {

using Steady = std::chrono::steady_clock;

// What timed stages inside the one that runs now have taken so far.
thread_local Steady::duration inner_time{};

class TimedStage final : public App {
 public:
  TimedStage(std::unique_ptr<const App> stage, Histogram& times)
      : stage_(std::move(stage)), times_(times) {}

  Response operator()(Request& request) const override {
    const Measure measure(times_);
    return (*stage_)(request);
  }
  void foresee(const Request& request, ForeseenKeys& keys) const override {
    stage_->foresee(request, keys);
  }

 private:
  // Counts also what ends in an exception.
  class Measure {
   public:
    explicit Measure(Histogram& times)
        : times_(times), outside_(inner_time), start_(Steady::now()) {
      inner_time = {};
    }
    Measure(const Measure&) = delete;
    Measure& operator=(const Measure&) = delete;
    ~Measure() {
      const auto whole = Steady::now() - start_;
      times_.add(std::chrono::duration<double>(whole - inner_time).count());
      inner_time = outside_ + whole;
    }

   private:
    Histogram& times_;
    Steady::duration outside_;
    Steady::time_point start_;
  };

  std::unique_ptr<const App> stage_;
  Histogram& times_;
};

}  // namespace

std::unique_ptr<const App> time_stage(std::unique_ptr<const App> stage, Histogram& times) {
  return std::make_unique<const TimedStage>(std::move(stage), times);
}

}  // namespace apus
