// How long each node's last answer took, for sorting_method = timing.
#pragma once

#include <apus/host.h>
#include <apus/ring.h>

#include <map>
#include <mutex>
#include <string>

namespace apus {

/// Thread-safe. Keeps nothing unless some policy sorts by it.
class NodeTimings {
 public:
  NodeTimings(Clock& clock, bool wanted, double expiry)
      : clock_(clock), wanted_(wanted), expiry_(expiry) {}

  [[nodiscard]] bool wanted() const { return wanted_; }
  /// In milliseconds; -1 when nothing (still) valid is known, which sorts first.
  [[nodiscard]] std::int64_t of(const RingDevice& device) const;
  void set(const RingDevice& device, std::chrono::nanoseconds took);

 private:
  struct Timing {
    std::int64_t milliseconds = -1;
    double expires = 0;
  };
  Clock& clock_;
  bool wanted_;
  double expiry_;
  mutable std::mutex mutex_;
  std::map<std::string, Timing, std::less<>> timings_;
};

}  // namespace apus
