// How far a relinker is: what it leaves in relinker.recon, as Swift's with "rate" (partitions a
// second) and "eta" (seconds) besides.
#pragma once

#include <apus/json.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "framework/backend/recon_cache.h"
#include "framework/store/object/relinking.h"
#include "servers/apus/operators/relink_state.h"

namespace apus {

/// One policy on one device.
struct RelinkPolicyReport {
  RelinkCounts counts;
  std::int64_t unmounted = 0;
  std::int64_t unlistable = 0;  ///< folders of partitions
  bool begun = false;           ///< the rest means nothing before
  PartPowers powers;
  double start_time = 0;
  std::int64_t parts_done = 0;
  std::int64_t parts_before = 0;  ///< of them, done by runs before
  std::int64_t total_parts = 0;
  double timestamp = 0;
  std::optional<double> total_time{};  ///< seconds, when it has ended

  [[nodiscard]] std::int64_t errors() const { return counts.errors + unmounted + unlistable; }
};

/// What one process does. One thread.
class RelinkReport {
 public:
  /// `host` and `log` outlive this. Dumps are `interval` seconds apart, unless forced.
  RelinkReport(Host& host, Logger& log, const std::string& recon_folder,
               std::vector<std::string> devices, bool clean_up, double interval);

  /// Empties the file. Before the processes start.
  static void forget(Host& host, Logger& log, const std::string& recon_folder);

  RelinkPolicyReport& of(const std::string& device, int policy) { return devices_[device][policy]; }
  void dump(bool force);
  /// This process alone, with its exit status once it has one.
  void dump_worker(std::optional<int> status) const;
  [[nodiscard]] RelinkPolicyReport sum() const;

 private:
  using Policies = std::map<int, RelinkPolicyReport>;
  [[nodiscard]] Json json_of(const Policies& policies) const;
  [[nodiscard]] Json worker(std::optional<int> status) const;

  Host& host_;
  ReconCache recon_;
  std::vector<std::string> names_;
  bool clean_up_;
  double interval_;
  double last_;
  std::map<std::string, Policies> devices_;
};

}  // namespace apus
