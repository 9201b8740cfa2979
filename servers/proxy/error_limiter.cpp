#include "servers/proxy/error_limiter.h"

namespace apus {

std::string node_name(const RingDevice& device) {
  return device.ip + ":" + std::to_string(device.port) + "/" + device.device;
}

ErrorLimiter::ErrorLimiter(Clock& clock, Logger& log, double interval, std::int64_t limit)
    : clock_(clock), log_(log), interval_(interval), limit_(limit) {}

bool ErrorLimiter::limited(const RingDevice& device) const {
  if (known_.load(std::memory_order_relaxed) == 0) return false;
  const double now = clock_.now();
  {
    const std::lock_guard lock(mutex_);
    const auto at = nodes_.find(node_name(device));
    if (at == nodes_.end() || at->second.last < now - interval_) return false;
    if (at->second.errors <= limit_) return false;
  }
  if (log_.enabled(LogLevel::kDebug)) {
    log_.debug("Node error limited " + device.ip + ":" + std::to_string(device.port) + " (" +
               device.device + ")");
  }
  return true;
}

void ErrorLimiter::count(const std::string& key, bool at_once) {
  const double now = clock_.now();
  const std::lock_guard lock(mutex_);
  Stats& stats = nodes_[key];
  if (stats.last < now - interval_) stats.errors = 0;
  stats.errors = at_once ? limit_ + 1 : stats.errors + 1;
  stats.last = now;
  known_.store(nodes_.size(), std::memory_order_relaxed);
}

void ErrorLimiter::error(const RingDevice& device, std::string_view message,
                         std::string_view trans_id) {
  const std::string name = node_name(device);
  count(name, false);
  log_.error(std::string(message) + " " + name, trans_id);
}

void ErrorLimiter::limit(const RingDevice& device, std::string_view message,
                         std::string_view trans_id) {
  const std::string name = node_name(device);
  count(name, true);
  log_.error(std::string(message) + " " + name, trans_id);
}

void ErrorLimiter::failed(const RingDevice& device, int status, std::string_view text,
                          std::string_view trans_id) {
  if (status == 507) return limit(device, "ERROR Insufficient Storage", trans_id);
  error(device, "ERROR " + std::to_string(status) + " " + std::string(text), trans_id);
}

void ErrorLimiter::exception(const RingDevice& device, std::string_view type, std::string_view info,
                             std::string_view why, std::string_view trans_id) {
  const std::string name = node_name(device);
  count(name, false);
  std::string text = "ERROR with ";
  text.append(type).append(" server ").append(name).append(" re: ").append(info);
  log_.error(text.append(": ").append(why), trans_id);
}

}  // namespace apus
