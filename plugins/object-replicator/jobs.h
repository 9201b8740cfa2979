// Which partitions a pass of the object replicator works on.
#pragma once

#include <apus/host.h>
#include <apus/options.h>
#include <apus/ring.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "framework/backend/backend.h"
#include "framework/store/object/object_place.h"

namespace apus {

/// One partition of one policy on one device of this machine.
struct PartitionJob {
  PartitionPlace place;
  std::uint32_t number = 0;
  int policy = 0;
  std::shared_ptr<const Ring> ring;
  const RingDevice* own = nullptr;        ///< of `ring`
  std::vector<const RingDevice*> others;  ///< the partition's primaries but `own`
  bool handoff = false;                   ///< `own` is none of the primaries
};

/// What a pass is bound to; an empty set = all.
struct Selection {
  std::set<std::string> devices;
  std::set<std::uint32_t> partitions;
  std::set<int> policies;

  /// Of the options override_*. Throws std::invalid_argument for what is no number.
  static Selection of(const Options& options);
  [[nodiscard]] bool all() const {
    return devices.empty() && partitions.empty() && policies.empty();
  }
};

/// Lists the devices of this machine; drops left-over temporary files on the way.
class JobList {
 public:
  JobList(Host& host, Logger& log, const Options& options);

  struct Found {
    std::vector<PartitionJob> jobs;  ///< in random order
    std::set<std::string> devices;   ///< all of this machine, those away too
    std::vector<std::string> away;   ///< devices of this machine that are not mounted
    std::set<std::pair<std::string, std::string>> nodes;  ///< address and device of all rings
  };
  /// Rings whose partition power is being raised are passed over: each object has two names now.
  [[nodiscard]] Found collect(const Selection& selection) const;
  /// False when the device has gone since.
  [[nodiscard]] bool is_there(const PartitionJob& job) const {
    return !devices_.folder(job.own->device).empty();
  }

 private:
  [[nodiscard]] std::vector<const RingDevice*> own_devices(const Ring& ring) const;
  void add_device(const StoragePolicy& policy, const std::shared_ptr<const Ring>& ring,
                  const RingDevice& own, const Selection& selection, Found& out) const;
  void drop_old_files(const std::string& folder) const;

  Host& host_;
  Logger& log_;
  Devices devices_;
  std::vector<std::string> addresses_;
  std::optional<int> port_;  ///< nothing = any
  double reclaim_age_;
};

}  // namespace apus
