#include "servers/proxy/node_timings.h"

namespace apus {

std::int64_t NodeTimings::of(const RingDevice& device) const {
  const double now = clock_.now();
  const std::lock_guard lock(mutex_);
  const auto at = timings_.find(device.ip);
  return at == timings_.end() || at->second.expires <= now ? -1 : at->second.milliseconds;
}

void NodeTimings::set(const RingDevice& device, std::chrono::nanoseconds took) {
  if (!wanted_) return;
  const auto rounded = std::chrono::round<std::chrono::milliseconds>(took).count();
  const double expires = clock_.now() + expiry_;
  const std::lock_guard lock(mutex_);
  timings_[device.ip] = {rounded, expires};
}

}  // namespace apus
