#include <apus/disk.h>
#include <apus/local_cache.h>
#include <apus/testing/host.h>

#include <algorithm>
#include <stdexcept>

#include "framework/host/info_registry.h"
#include "framework/metrics/registry.h"

namespace apus::testing {
namespace {

template <typename T>
T& given(T* thing, const char* what) {
  if (thing == nullptr)
    throw std::logic_error(std::string("this TestHost has no ") + what + "; give it one with use_" +
                           what);
  return *thing;
}

}  // namespace

SeededEntropy::SeededEntropy(std::uint64_t seed) : engine_(seed) {}
SeededEntropy::~SeededEntropy() = default;

void SeededEntropy::fill(std::span<char> out) {
  const std::lock_guard lock(mutex_);
  for (char& byte : out) byte = static_cast<char>(engine_() >> 56U);
}

void KeptLog::add(Line line) {
  const std::lock_guard lock(mutex_);
  lines_.push_back(std::move(line));
}

std::vector<KeptLog::Line> KeptLog::lines() const {
  const std::lock_guard lock(mutex_);
  return lines_;
}

std::string KeptLog::text() const {
  std::string out;
  for (const Line& line : lines()) out.append(line.text).append("\n");
  return out;
}

bool KeptLog::has(std::string_view piece) const {
  const std::vector<Line> all = lines();
  return std::any_of(all.begin(), all.end(),
                     [&](const Line& line) { return line.text.find(piece) != std::string::npos; });
}

void KeptLog::clear() {
  const std::lock_guard lock(mutex_);
  lines_.clear();
}

KeptMetrics::KeptMetrics() : registry_(std::make_unique<MetricsRegistry>()) {}
KeptMetrics::~KeptMetrics() = default;

void KeptMetrics::increment(std::string_view name, std::int64_t by) {
  registry_->increment(name, by);
  const std::lock_guard lock(mutex_);
  counters_[std::string(name)] += by;
}

void KeptMetrics::timing(std::string_view name, double milliseconds) {
  registry_->timing(name, milliseconds);
  const std::lock_guard lock(mutex_);
  timings_[std::string(name)].push_back(milliseconds);
}

void KeptMetrics::gauge(std::string_view name, double value) { registry_->gauge(name, value); }

std::string KeptMetrics::prometheus_text() const { return registry_->prometheus_text(); }

std::int64_t KeptMetrics::counter(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto at = counters_.find(name);
  return at == counters_.end() ? 0 : at->second;
}

std::vector<double> KeptMetrics::timings(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto at = timings_.find(name);
  return at == timings_.end() ? std::vector<double>() : at->second;
}

class TestHost::NamedLogger final : public Logger {
 public:
  NamedLogger(std::string name, KeptLog& log) : name_(std::move(name)), log_(log) {}
  bool enabled(LogLevel /*level*/) const override { return true; }
  void write(LogLevel level, std::string_view text, std::string_view trans_id) override {
    log_.add({name_, level, std::string(text), std::string(trans_id)});
  }

 private:
  std::string name_;
  KeptLog& log_;
};

TestHost::TestHost() : info_(std::make_unique<ProcessInfo>()) { conf.hash_suffix = "test"; }
TestHost::~TestHost() = default;

Logger& TestHost::logger(const Options& options) {
  const std::string name = options.find("log_name").value_or(options.name());
  const std::lock_guard lock(mutex_);
  auto& logger = loggers_[name];
  if (logger == nullptr) logger = std::make_unique<NamedLogger>(name, log);
  return *logger;
}

Transport& TestHost::transport() { return given(transport_, "transport"); }
Disk& TestHost::disk() { return disk_ != nullptr ? *disk_ : real_disk(); }
RingDirectory& TestHost::rings() { return given(rings_, "rings"); }

Cache& TestHost::cache() {
  const std::lock_guard lock(mutex_);
  if (cache_ == nullptr) cache_ = make_local_cache(*clock_);
  return *cache_;
}

}  // namespace apus::testing
