// Counters and timings: StatsD names as Swift's, kept for /metrics at the same time.
#pragma once

#include <apus/abi.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace apus {

/// Where numbers go. Thread-safe, never blocks, never fails.
class APUS_API Metrics {
 public:
  Metrics() = default;
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  virtual ~Metrics();

  /// `name` is Swift's dotted name below the server's prefix, e.g. "errors".
  virtual void increment(std::string_view name, std::int64_t by = 1) = 0;
  virtual void timing(std::string_view name, double milliseconds) = 0;
  virtual void gauge(std::string_view name, double value) = 0;
  /// Everything so far in Prometheus' text format.
  [[nodiscard]] virtual std::string prometheus_text() const = 0;
};

}  // namespace apus
