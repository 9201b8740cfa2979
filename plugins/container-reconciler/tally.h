// What became of the objects of a pass: a number for each kind of event, and a log line.
#pragma once

#include <apus/host.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace apus {

/// Thread-safe.
class ReconcilerTally {
 public:
  ReconcilerTally(Host& host, Logger& log)
      : host_(host), log_(log), reported_(host.clock().steady()) {}

  /// Counts `event` (Swift's word, as "noop_object") and logs "event: text".
  void count(LogLevel level, const char* event, const std::string& text);
  /// Logs all numbers, at most once a minute unless `now`.
  void report(bool now);
  void clear();

 private:
  Host& host_;
  Logger& log_;
  std::mutex mutex_;
  std::vector<std::pair<std::string, std::int64_t>> numbers_;  ///< by when it was first met
  Clock::Steady reported_;
};

}  // namespace apus
