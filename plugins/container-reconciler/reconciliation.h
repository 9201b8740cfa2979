// One misplaced object: found where it lies, brought to where it belongs, and cleaned up behind.
#pragma once

#include <apus/host.h>

#include <cstdint>
#include <stop_token>
#include <string>

#include "framework/backend/misplaced_queue.h"
#include "framework/pipeline/internal_client.h"
#include "plugins/container-reconciler/container_policies.h"
#include "plugins/container-reconciler/tally.h"

namespace apus {

/// Thread-safe. The moves are Swift's, times included: what comes to the right policy is two
/// offsets later than it was, what is left of it in the wrong one is a deletion of one offset, and
/// so each row of the container wins over the one before, whoever repeats a step.
class Reconciliation {
 public:
  Reconciliation(Host& host, Logger& log, const InternalClient& client, ReconcilerTally& tally,
                 double reclaim_age)
      : host_(host),
        log_(log),
        client_(client),
        tally_(tally),
        policies_(host),
        reclaim_age_(reclaim_age) {}

  /// True when nothing is left to be done for this row of the queue: it may go. False when it must
  /// be tried again. Failures are logged, none is thrown.
  bool reconcile(const MisplacedObject& object, const std::stop_token& stop);

 private:
  /// What is known of one object on its way.
  struct Move {
    const MisplacedObject& object;
    std::int64_t target;  ///< the container's policy
    std::string what;     ///< "'/a/c/o' (TIME)"
    const std::stop_token& stop;
  };
  struct Source;

  bool settle(const MisplacedObject& object, const std::stop_token& stop);
  [[nodiscard]] bool can_move(std::int64_t policy, const char* role);
  bool move(const Move& move);
  bool copy(const Move& move, Source source);
  bool copy_deletion(const Move& move, const Timestamp& found);
  bool clean_up(const Move& move);
  [[nodiscard]] Source find_source(const Move& move) const;
  void count(LogLevel level, const char* event, const std::string& text) {
    tally_.count(level, event, text);
  }

  Host& host_;
  Logger& log_;
  const InternalClient& client_;
  ReconcilerTally& tally_;
  ContainerPolicies policies_;
  double reclaim_age_;  ///< seconds
};

}  // namespace apus
