// All objects of one policy on one device get their second name, or lose their first.
#pragma once

#include <set>
#include <string>

#include "framework/backend/pace.h"
#include "framework/store/object/object_store.h"
#include "servers/apus/operators/relink_report.h"
#include "servers/apus/operators/relink_state.h"

namespace apus {

/// What all devices have in common. References outlive the devices.
struct RelinkPlan {
  Host& host;
  Logger& log;
  const ObjectStore& store;
  RelinkReport& report;
  Pace& pace;  ///< of folders of objects
  bool clean_up = false;
  std::set<std::uint64_t> partitions;  ///< alone; empty = all
};

/// One policy on one device. One thread.
class RelinkDevice {
 public:
  /// `folder` is the device's, `name` its last piece. Waits for DEVICE/.relink.DIRECTORY.lock and
  /// holds it from then on. Throws std::system_error when lock or state cannot be had.
  RelinkDevice(const RelinkPlan& plan, const StoragePolicy& policy, PartPowers powers,
               std::string folder, std::string name);

  /// What cannot be read is told and counted.
  void run();

 private:
  void partition(const std::string& name);
  void suffix(const PartitionPlace& place, const std::string& name);
  void hash_linked(PartitionPlace place);
  bool is_empty(const PartitionPlace& place);
  void drop_if_empty(const PartitionPlace& place);
  void failed(const std::string& what, int error);
  void save(bool now);
  void tell(bool last);

  const RelinkPlan& plan_;
  Disk& disk_;
  const StoragePolicy& policy_;
  PartPowers powers_;
  std::string folder_;
  std::string name_;
  std::string directory_;
  Fd lock_;
  RelinkState state_;
  RelinkPolicyReport& report_;
  std::optional<Clock::Steady> saved_;     ///< when the state was
  std::set<std::uint64_t> linked_into_{};  ///< partitions that got names from the one at hand
};

}  // namespace apus
