// Numbers of one server, kept for /metrics and sent to StatsD.
#pragma once

#include <apus/metrics.h>

#include <atomic>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>

#include "framework/metrics/histogram.h"
#include "framework/metrics/statsd.h"

namespace apus {

/// Counters, durations and gauges by name. Thread-safe; a name that is known costs a shared lock
/// and an atomic addition.
class APUS_API MetricsRegistry final : public Metrics {
 public:
  MetricsRegistry();
  ~MetricsRegistry() override;
  void increment(std::string_view name, std::int64_t by) override;
  void timing(std::string_view name, double milliseconds) override;
  void gauge(std::string_view name, double value) override;
  [[nodiscard]] std::string prometheus_text() const override;

  /// Time that requests spend in one stage of the pipeline, without what is behind it:
  /// apus_stage_seconds{stage="NAME"}. The reference lives as long as this.
  Histogram& stage(std::string_view name);

 private:
  template <typename Value>
  using ByName = std::map<std::string, std::unique_ptr<Value>, std::less<>>;
  template <typename Value>
  Value& entry(ByName<Value>& values, std::string_view name);

  mutable std::shared_mutex mutex_;
  ByName<std::atomic<std::int64_t>> counters_;
  ByName<Histogram> timings_;
  ByName<std::atomic<double>> gauges_;
  ByName<Histogram> stages_;
};

/// What one user of the metrics sees: its events go to the registry and to StatsD under its prefix.
class APUS_API PrefixedMetrics final : public Metrics {
 public:
  PrefixedMetrics(MetricsRegistry& registry, const StatsdSocket& statsd, std::string statsd_prefix);
  ~PrefixedMetrics() override;
  void increment(std::string_view name, std::int64_t by) override;
  void timing(std::string_view name, double milliseconds) override;
  void gauge(std::string_view name, double value) override;
  [[nodiscard]] std::string prometheus_text() const override { return registry_.prometheus_text(); }

  MetricsRegistry& registry() { return registry_; }

 private:
  MetricsRegistry& registry_;
  const StatsdSocket& statsd_;
  std::string statsd_prefix_;
};

}  // namespace apus
