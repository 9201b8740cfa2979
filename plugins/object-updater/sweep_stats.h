// What a sweep of the object updater did so far.
#pragma once

#include <apus/metrics.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace apus {

/// Thread-safe.
class SweepStats {
 public:
  enum Kind : std::uint8_t {
    kSuccesses,
    kFailures,
    kQuarantines,
    kUnlinks,
    kErrors,
    kRedirects,
    kSkips,
    kDeferrals,
    kDrains,
    kKinds
  };

  explicit SweepStats(Metrics& metrics) : metrics_(metrics) {}

  void add(Kind kind, std::int64_t count = 1) {
    counts_[kind] += count;
    metrics_.increment(kNames[kind], count);
  }
  /// Adds what another counted, whose numbers the metrics have already.
  void take(const SweepStats& other) {
    for (std::size_t i = 0; i < kKinds; ++i) counts_[i] += other.counts_[i];
  }
  [[nodiscard]] std::int64_t count(Kind kind) const { return counts_[kind]; }
  /// "1 successes, 0 failures, ...".
  [[nodiscard]] std::string text() const {
    std::string out;
    for (std::size_t i = 0; i < kKinds; ++i) {
      out += (i == 0 ? "" : ", ") + std::to_string(counts_[i].load()) + " ";
      out += kNames[i];
    }
    return out;
  }

 private:
  static constexpr std::array<std::string_view, kKinds> kNames = {
      "successes", "failures", "quarantines", "unlinks", "errors",
      "redirects", "skips",    "deferrals",   "drains"};
  Metrics& metrics_;
  std::array<std::atomic<std::int64_t>, kKinds> counts_{};
};

}  // namespace apus
