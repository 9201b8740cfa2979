// Nodes that fail too often are left alone for a while.
#pragma once

#include <apus/host.h>
#include <apus/ring.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace apus {

/// Thread-safe. Counts a node's errors ("ip:port/device"); past the limit, and until `interval`
/// seconds after the last of them, the node is limited.
class ErrorLimiter {
 public:
  ErrorLimiter(Clock& clock, Logger& log, double interval, std::int64_t limit);

  [[nodiscard]] bool limited(const RingDevice& device) const;
  /// Counts one and logs "MESSAGE ip:port/device".
  void error(const RingDevice& device, std::string_view message, std::string_view trans_id);
  /// Limits it at once, and logs as above.
  void limit(const RingDevice& device, std::string_view message, std::string_view trans_id);
  /// For an answer with `status` of 500 and above: 507 limits the node, any other counts as an
  /// error and is logged as "ERROR STATUS TEXT ip:port/device".
  void failed(const RingDevice& device, int status, std::string_view text,
              std::string_view trans_id);
  /// Counts one and logs "ERROR with TYPE server ip:port/device re: INFO: WHY".
  void exception(const RingDevice& device, std::string_view type, std::string_view info,
                 std::string_view why, std::string_view trans_id);

 private:
  struct Stats {
    std::int64_t errors = 0;
    double last = 0;
  };
  void count(const std::string& key, bool at_once);

  Clock& clock_;
  Logger& log_;
  double interval_;
  std::int64_t limit_;
  std::atomic<std::size_t> known_{0};  // nodes with errors: mostly none, and then no lock is taken
  mutable std::mutex mutex_;
  std::map<std::string, Stats> nodes_;
};

/// "ip:port/device".
std::string node_name(const RingDevice& device);

}  // namespace apus
