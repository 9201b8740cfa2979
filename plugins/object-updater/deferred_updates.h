// Which update goes next when no container may have more than so many a second.
#pragma once

#include <apus/host.h>
#include <apus/rate_limiter.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <stop_token>
#include <vector>

#include "framework/backend/pace.h"
#include "plugins/object-updater/pending_walk.h"

namespace apus {

/// Takes updates from a walk, no faster than its pace. Containers share buckets; one that finds its
/// bucket used up is put off, and sent when the walk is at its end, if there is time. Of too many
/// that are put off the oldest is left to the next sweep. One thread at a time.
class DeferredUpdates {
 public:
  struct Limits {
    double per_second = 0;        ///< of all updates; 0 = no bound
    double per_container = 0;     ///< a second; 0 = no bound
    std::size_t buckets = 1000;   ///< at least 1
    std::size_t most = 10000;     ///< put off at once
    Clock::Steady drain_until{};  ///< none that was put off is sent later
  };
  DeferredUpdates(Host& host, SweepStats& stats, PendingWalk& walk, const Limits& limits);

  /// Waits until one may go. Nothing at the end, or when `stop` is requested.
  std::optional<WaitingUpdate> next(const std::stop_token& stop);

 private:
  struct Bucket {
    RateLimiter limiter;
    std::deque<WaitingUpdate> waiting;
  };
  Bucket& bucket_of(const AsyncPending& update);
  void defer(Bucket& bucket, WaitingUpdate update);
  std::optional<WaitingUpdate> drain(const std::stop_token& stop);
  [[nodiscard]] double now() const;

  Host& host_;
  SweepStats& stats_;
  PendingWalk& walk_;
  Limits limits_;
  Pace pace_;
  std::uint64_t salt_;  ///< so that no two containers share a bucket in every sweep
  std::vector<Bucket> buckets_;
  std::deque<Bucket*> order_;  ///< one entry for each that was put off, oldest first
};

}  // namespace apus
