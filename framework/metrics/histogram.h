// Durations, counted by size.
#pragma once

#include <apus/abi.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace apus {

/// Upper bounds of the buckets in seconds; one more bucket takes what is longer.
inline constexpr std::array kBucketSeconds = {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025,
                                              0.005,   0.01,   0.025,   0.05,   0.1,   0.25,
                                              0.5,     1.0,    2.5,     5.0,    10.0};

/// Thread-safe without a lock. A reader sees sums and counts that may be a few events apart.
class APUS_API Histogram {
 public:
  void add(double seconds);
  /// Lines "NAME_bucket{LABELS,le=...}", "NAME_sum{LABELS}" and "NAME_count{LABELS}"; `labels` may
  /// be empty.
  void append_to(std::string& out, std::string_view name, std::string_view labels) const;

 private:
  std::array<std::atomic<std::uint64_t>, kBucketSeconds.size() + 1> counts_{};
  std::atomic<std::uint64_t> nanoseconds_{0};
};

}  // namespace apus
