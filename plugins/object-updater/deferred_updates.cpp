#include "plugins/object-updater/deferred_updates.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

namespace apus {

DeferredUpdates::DeferredUpdates(Host& host, SweepStats& stats, PendingWalk& walk,
                                 const Limits& limits)
    : host_(host),
      stats_(stats),
      walk_(walk),
      limits_(limits),
      pace_(host.clock(), limits.per_second),
      salt_(host.entropy().below(1ULL << 62U)),
      buckets_(limits.per_container > 0 ? std::max<std::size_t>(limits.buckets, 1) : 0,
               Bucket{RateLimiter(limits.per_container, 0), {}}) {}

double DeferredUpdates::now() const {
  return std::chrono::duration<double>(host_.clock().steady().time_since_epoch()).count();
}

DeferredUpdates::Bucket& DeferredUpdates::bucket_of(const AsyncPending& update) {
  const std::string key = std::to_string(salt_) + update.target();
  return buckets_[std::hash<std::string>()(key) % buckets_.size()];
}

std::optional<WaitingUpdate> DeferredUpdates::next(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    auto found = walk_.next();
    if (!found) return drain(stop);
    pace_.wait(stop);
    if (stop.stop_requested()) break;
    if (buckets_.empty()) return found;
    Bucket& bucket = bucket_of(found->update);
    if (bucket.limiter.allows(now())) return found;
    defer(bucket, *std::move(found));
  }
  return std::nullopt;
}

void DeferredUpdates::defer(Bucket& bucket, WaitingUpdate update) {
  stats_.add(SweepStats::kDeferrals);
  if (limits_.most == 0) {
    stats_.add(SweepStats::kSkips);
    return;
  }
  if (order_.size() >= limits_.most) {
    // What was read long ago is likelier to be outdated by now.
    order_.front()->waiting.pop_front();
    order_.pop_front();
    stats_.add(SweepStats::kSkips);
  }
  bucket.waiting.push_back(std::move(update));
  order_.push_back(&bucket);
}

std::optional<WaitingUpdate> DeferredUpdates::drain(const std::stop_token& stop) {
  Bucket* first = nullptr;
  double wait = 0;
  std::size_t left = 0;
  for (Bucket& bucket : buckets_) {
    if (bucket.waiting.empty()) continue;
    left += bucket.waiting.size();
    const double its = RateLimiter(bucket.limiter).wait(now());
    if (first != nullptr && its >= wait) continue;
    first = &bucket;
    wait = its;
  }
  if (first == nullptr) return std::nullopt;
  const auto pause = std::chrono::nanoseconds(static_cast<std::int64_t>(wait * 1e9));
  if (host_.clock().steady() >= limits_.drain_until) {
    stats_.add(SweepStats::kSkips, static_cast<std::int64_t>(left));
    for (Bucket& bucket : buckets_) bucket.waiting.clear();
    return std::nullopt;
  }
  first->limiter.wait(now());
  sleep_unless_stopped(host_.clock(), pause, stop);
  if (stop.stop_requested()) return std::nullopt;
  WaitingUpdate out = std::move(first->waiting.back());
  first->waiting.pop_back();
  stats_.add(SweepStats::kDrains);
  return out;
}

}  // namespace apus
