// Swift's arithmetic for "at most so many a second": a moment from which the next one may go.
#pragma once

namespace apus {

/// A value; its owner synchronises it. Times are seconds of one clock.
class RateLimiter {
 public:
  /// `rate` a second, 0 or less = no limit. `buffer` seconds of unused allowance may be made up
  /// for; after a longer rest they are lost, unless `burst_after_idle`. `next` is when the first
  /// one may go.
  RateLimiter(double rate, double buffer, double next = 0, bool burst_after_idle = false)
      : rate_(rate), buffer_(buffer), next_(next), burst_(burst_after_idle) {}

  /// Whether one that counts `weight` may go at `now`; if so it is counted.
  bool allows(double now, double weight = 1) {
    if (rate_ <= 0 || weight <= 0) return true;
    rest(now);
    if (now < next_) return false;
    next_ += weight / rate_;
    return true;
  }

  /// Counts one and says how long it has to wait before it may go; 0 = not at all.
  double wait(double now, double weight = 1) {
    if (rate_ <= 0 || weight <= 0) return 0;
    rest(now);
    const double out = now < next_ ? next_ - now : 0;
    next_ += weight / rate_;
    return out;
  }

  /// From now on.
  void change(double rate, double buffer) {
    rate_ = rate;
    buffer_ = buffer;
  }

 private:
  void rest(double now) {
    if (now - next_ > buffer_) next_ = burst_ ? now - buffer_ : now;
  }

  double rate_;
  double buffer_;
  double next_;
  bool burst_;
};

}  // namespace apus
