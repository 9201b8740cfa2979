// How far a daemon's pass is, how fast it goes and until when: for /recon, /metrics and a person.
#pragma once

#include <apus/host.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "framework/backend/recon_cache.h"

namespace apus {

/// One pass over a number of like things. While it goes on, every ten seconds, the gauges
/// "UNIT.left", "UNIT.rate" (a second) and "UNIT.eta_seconds" are set, and recon has
/// {"done", "total", "rate", "eta"} under "NAME_progress"; Apus's own. Thread-safe.
class APUS_API PassProgress {
 public:
  /// `host` and `recon`, which may be null, outlive this. `name` is "object_updater", say, `unit`
  /// what is counted: "partitions".
  PassProgress(Host& host, const ReconCache* recon, const std::string& name, std::string unit,
               std::size_t total);
  PassProgress(const PassProgress&) = delete;
  PassProgress& operator=(const PassProgress&) = delete;
  /// The pass is over, whole or not: nothing is left, and recon has no entry any more.
  ~PassProgress();

  /// So many more were found on the way.
  void expect(std::size_t more) { total_ += static_cast<std::int64_t>(more); }
  void add(std::size_t done = 1);

  /// From now on a pass draws a bar on stderr, one pass at a time. For a process that makes one
  /// pass while somebody looks on.
  static void draw_on_terminal();

 private:
  struct Numbers {
    std::int64_t done = 0;
    std::int64_t total = 0;
    double rate = 0;  ///< a second
    double eta = 0;   ///< seconds
  };
  [[nodiscard]] Numbers numbers() const;
  bool is_due(std::atomic<std::int64_t>& next, std::chrono::nanoseconds between) const;
  void show();
  void draw() const;
  [[nodiscard]] std::int64_t elapsed() const;  ///< ns

  Host& host_;
  const ReconCache* recon_;
  std::string entry_;
  std::string unit_;
  Clock::Steady start_;
  std::atomic<std::int64_t> done_ = 0;
  std::atomic<std::int64_t> total_;
  std::atomic<std::int64_t> next_show_;  ///< ns since the start
  std::atomic<std::int64_t> next_draw_ = 0;
  std::atomic<bool> in_recon_ = false;
  bool draws_;
};

/// "[====>     ] 42% 420/1000 UNIT, 12.3/s, 47s left": fits a line of a terminal.
APUS_API std::string progress_line(std::int64_t done, std::int64_t total, double rate, double eta,
                                   const std::string& unit);

/// Whole seconds, minutes or hours, as Swift shows what is left: "47s", "12m", "3h".
APUS_API std::string time_left(double seconds);

}  // namespace apus
