// Tells a container's servers what waits for them.
#pragma once

#include <apus/host.h>
#include <apus/ring.h>
#include <apus/transport.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/backend/redirect.h"
#include "plugins/object-updater/pending_walk.h"
#include "plugins/object-updater/sweep_stats.h"

namespace apus {

/// Thread-safe.
class UpdateSender {
 public:
  UpdateSender(Host& host, Logger& log, SweepStats& stats, Deadlines deadlines);

  /// Sends one update to those of its container's servers that do not have it. Its file goes when
  /// all have it; else it is written anew with what is known: who has it, or the shard that it was
  /// sent on to, which is asked once at once. `device` is the device's folder. Throws
  /// std::runtime_error when there is no ring.
  void process(const std::string& device, WaitingUpdate waiting);

 private:
  struct Round {
    bool done = false;     ///< all have it, its file is gone
    bool rewrite = false;  ///< the file no longer says what is known
    bool again = false;    ///< sent on: worth a try at once
  };
  Round send(WaitingUpdate& waiting);
  void sent(const WaitingUpdate& waiting);
  void redirect(AsyncPending& update, const std::vector<Redirect>& redirects);
  [[nodiscard]] Headers fields_of(const WaitingUpdate& waiting) const;
  void tell(const RingDevice& device, const Outcome& outcome, const std::string& name,
            std::vector<Redirect>& redirects);
  void rewrite(const std::string& device, const WaitingUpdate& waiting);

  Host& host_;
  Logger& log_;
  SweepStats& stats_;
  Deadlines deadlines_;
  std::string user_agent_;
};

}  // namespace apus
