#include "framework/metrics/registry.h"

#include <algorithm>
#include <cctype>
#include <mutex>

#include "framework/metrics/number.h"

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

std::string label(std::string_view name, std::string_view value) {
  std::string out(name);
  out += "=\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out + "\"";
}

void append_type(std::string& out, std::string_view name, std::string_view type) {
  out.append("# TYPE ").append(name).append(" ").append(type).append("\n");
}

}  // namespace

MetricsRegistry::MetricsRegistry() = default;
MetricsRegistry::~MetricsRegistry() = default;

template <typename Value>
Value& MetricsRegistry::entry(ByName<Value>& values, std::string_view name) {
  {
    const std::shared_lock lock(mutex_);
    if (const auto at = values.find(name); at != values.end()) return *at->second;
  }
  const std::unique_lock lock(mutex_);
  auto& value = values[std::string(name)];
  if (value == nullptr) value = std::make_unique<Value>();
  return *value;
}

void MetricsRegistry::increment(std::string_view name, std::int64_t by) {
  entry(counters_, name).fetch_add(by, std::memory_order_relaxed);
}
void MetricsRegistry::timing(std::string_view name, double milliseconds) {
  entry(timings_, name).add(milliseconds / 1000);
}
void MetricsRegistry::gauge(std::string_view name, double value) {
  entry(gauges_, name).store(value, std::memory_order_relaxed);
}
Histogram& MetricsRegistry::stage(std::string_view name) { return entry(stages_, name); }

std::string MetricsRegistry::prometheus_text() const {
  const std::shared_lock lock(mutex_);
  std::string out;
  const auto line = [&](const std::string& name, const std::string& value) {
    out.append(name).append(" ").append(value).append("\n");
  };
  for (const auto& [name, value] : counters_) {
    const std::string shown = metric_name(name) + "_total";
    append_type(out, shown, "counter");
    line(shown, std::to_string(value->load(std::memory_order_relaxed)));
  }
  for (const auto& [name, value] : timings_) {
    const std::string shown = metric_name(name) + "_seconds";
    append_type(out, shown, "histogram");
    value->append_to(out, shown, "");
  }
  for (const auto& [name, value] : gauges_) {
    append_type(out, metric_name(name), "gauge");
    line(metric_name(name), number_text(value->load(std::memory_order_relaxed)));
  }
  if (!stages_.empty()) append_type(out, "apus_stage_seconds", "histogram");
  for (const auto& [name, value] : stages_)
    value->append_to(out, "apus_stage_seconds", label("stage", name));
  return out;
}

PrefixedMetrics::PrefixedMetrics(MetricsRegistry& registry, const StatsdSocket& statsd,
                                 std::string statsd_prefix)
    : registry_(registry), statsd_(statsd), statsd_prefix_(std::move(statsd_prefix)) {}
PrefixedMetrics::~PrefixedMetrics() = default;

void PrefixedMetrics::increment(std::string_view name, std::int64_t by) {
  registry_.increment(name, by);
  if (statsd_.on()) statsd_.send(statsd_prefix_, name, std::to_string(by), "c");
}
void PrefixedMetrics::timing(std::string_view name, double milliseconds) {
  registry_.timing(name, milliseconds);
  if (statsd_.on()) statsd_.send(statsd_prefix_, name, number_text(milliseconds), "ms");
}
void PrefixedMetrics::gauge(std::string_view name, double value) {
  registry_.gauge(name, value);
  if (statsd_.on()) statsd_.send(statsd_prefix_, name, number_text(value), "g");
}

}  // namespace apus
