// A Host for tests: its clock stands still, its chance repeats, and what plugins say is kept.
#pragma once

#include <apus/host.h>
#include <apus/testing/clock.h>

#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace apus::testing {

/// The same bytes for the same seed. Thread-safe; the order of calls decides who gets which.
class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed = 1);
  ~SeededEntropy() override;
  void fill(std::span<char> out) override;

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

/// Log lines in memory. Thread-safe.
class KeptLog {
 public:
  struct Line {
    std::string logger;  ///< log_name of the section, else the section's name
    LogLevel level = LogLevel::kInfo;
    std::string text;
    std::string trans_id;
  };

  void add(Line line);
  [[nodiscard]] std::vector<Line> lines() const;
  /// Every text, each with a newline behind it.
  [[nodiscard]] std::string text() const;
  /// True when a line holds `piece`.
  [[nodiscard]] bool has(std::string_view piece) const;
  void clear();

 private:
  mutable std::mutex mutex_;
  std::vector<Line> lines_;
};

/// Numbers in memory. Thread-safe.
class KeptMetrics final : public Metrics {
 public:
  KeptMetrics();
  ~KeptMetrics() override;
  void increment(std::string_view name, std::int64_t by = 1) override;
  void timing(std::string_view name, double milliseconds) override;
  void gauge(std::string_view name, double value) override;
  [[nodiscard]] std::string prometheus_text() const override;

  /// 0 when it was never counted.
  [[nodiscard]] std::int64_t counter(std::string_view name) const;
  [[nodiscard]] std::vector<double> timings(std::string_view name) const;

 private:
  std::unique_ptr<Metrics> registry_;
  mutable std::mutex mutex_;
  std::map<std::string, std::int64_t, std::less<>> counters_;
  std::map<std::string, std::vector<double>, std::less<>> timings_;
};

/// Everything a plugin may reach, in the test's hand: it sets `conf` and `time` and reads `log` and
/// `numbers`. Outlives every plugin made with it. Thread-safe, `conf` and the use_* calls excepted.
class TestHost : public Host {
 public:
  TestHost();
  ~TestHost() override;

  /// `time`, unless `use_clock` named another.
  Clock& clock() override { return *clock_; }
  Entropy& entropy() override { return chance; }
  Logger& logger(const Options& options) override;
  Metrics& metrics() override { return numbers; }
  InfoRegistry& info() override { return *info_; }
  const SwiftConf& swift_conf() const override { return conf; }
  /// The machine's own until `use_disk`. The other two throw std::logic_error until they are given.
  Transport& transport() override;
  Disk& disk() override;
  RingDirectory& rings() override;

  void use_clock(Clock& clock) { clock_ = &clock; }
  void use_transport(Transport& transport) { transport_ = &transport; }
  void use_disk(Disk& disk) { disk_ = &disk; }
  void use_rings(RingDirectory& rings) { rings_ = &rings; }
  /// A cache for `Request::context.cache`, made at the first call, that ages with `clock()`.
  Cache& cache();

  FakeClock time;
  SeededEntropy chance;
  KeptLog log;
  KeptMetrics numbers;
  SwiftConf conf;  ///< hash suffix "test", one policy, Swift's limits

 private:
  class NamedLogger;

  Clock* clock_ = &time;
  Transport* transport_ = nullptr;
  Disk* disk_ = nullptr;
  RingDirectory* rings_ = nullptr;
  std::unique_ptr<InfoRegistry> info_;
  std::unique_ptr<Cache> cache_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Logger>, std::less<>> loggers_;
};

}  // namespace apus::testing
