#include "framework/metrics/registry.h"

#include <algorithm>
#include <cctype>

namespace apus {
namespace {

// Prometheus' names have letters, digits and '_'.
std::string metric_name(std::string_view name) {
  std::string out = "apus_" + std::string(name);
  std::replace_if(
      out.begin(), out.end(),
      [](char c) { return !(std::isalnum(static_cast<unsigned char>(c)) != 0) && c != '_'; }, '_');
  return out;
}

}  // namespace

MetricsRegistry::MetricsRegistry() = default;
MetricsRegistry::~MetricsRegistry() = default;

void MetricsRegistry::increment(std::string_view name, std::int64_t by) {
  const std::lock_guard lock(mutex_);
  counters_[std::string(name)] += by;
}
void MetricsRegistry::timing(std::string_view name, double milliseconds) {
  const std::lock_guard lock(mutex_);
  Timing& entry = timings_[std::string(name)];
  ++entry.count;
  entry.seconds += milliseconds / 1000;
}
void MetricsRegistry::gauge(std::string_view name, double value) {
  const std::lock_guard lock(mutex_);
  gauges_[std::string(name)] = value;
}

std::string MetricsRegistry::prometheus_text() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  const auto line = [&](const std::string& name, const std::string& value) {
    out.append(name).append(" ").append(value).append("\n");
  };
  for (const auto& [name, value] : counters_) {
    out.append("# TYPE ").append(metric_name(name)).append("_total counter\n");
    line(metric_name(name) + "_total", std::to_string(value));
  }
  for (const auto& [name, value] : timings_) {
    out.append("# TYPE ").append(metric_name(name)).append("_seconds summary\n");
    line(metric_name(name) + "_seconds_count", std::to_string(value.count));
    line(metric_name(name) + "_seconds_sum", std::to_string(value.seconds));
  }
  for (const auto& [name, value] : gauges_) {
    out.append("# TYPE ").append(metric_name(name)).append(" gauge\n");
    line(metric_name(name), std::to_string(value));
  }
  return out;
}

}  // namespace apus
