// Numbers of this process, kept for /metrics.
#pragma once

#include <apus/metrics.h>

#include <map>
#include <mutex>
#include <string>

namespace apus {

/// Counters, sums of timings and gauges by name. Thread-safe.
class APUS_API MetricsRegistry final : public Metrics {
 public:
  MetricsRegistry();
  ~MetricsRegistry() override;
  void increment(std::string_view name, std::int64_t by) override;
  void timing(std::string_view name, double milliseconds) override;
  void gauge(std::string_view name, double value) override;
  [[nodiscard]] std::string prometheus_text() const override;

 private:
  struct Timing {
    std::int64_t count = 0;
    double seconds = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::string, std::int64_t, std::less<>> counters_;
  std::map<std::string, Timing, std::less<>> timings_;
  std::map<std::string, double, std::less<>> gauges_;
};

}  // namespace apus
