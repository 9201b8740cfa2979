// Every object's folder of one policy, device after device, going on where an audit was broken off.
#pragma once

#include <apus/host.h>

#include <optional>
#include <string>
#include <vector>

#include "framework/backend/backend.h"
#include "framework/backend/pass_progress.h"
#include "framework/store/object/object_place.h"
#include "plugins/object-auditor/audit_status.h"

namespace apus {

/// One thread.
class AuditWalk {
 public:
  struct Where {
    std::string root;                  ///< folder of the devices
    std::vector<std::string> devices;  ///< their names, in the order of the walk
    std::string directory;             ///< "objects" or "objects-N"
    std::string kind;                  ///< "ALL" or "ZBF"
  };
  AuditWalk(Host& host, Logger& log, const Devices& mounted, Where where);

  /// Partitions before the first step, all devices together.
  [[nodiscard]] std::size_t count() const;
  /// Each partition is told to `progress`, which outlives this, when it is entered.
  void tell(PassProgress& progress) { progress_ = &progress; }
  /// The next folder, its name left empty; nothing at the end.
  std::optional<ObjectPlace> next();
  /// Notes where the walk stands, so that the next one goes on from there.
  void keep() const;
  /// The audit is whole: the next one starts anew.
  void clear() const;

 private:
  bool next_device();
  bool next_partition();
  bool next_suffix();

  Host& host_;
  Logger& log_;
  const Devices& mounted_;
  Where where_;
  PassProgress* progress_ = nullptr;
  std::size_t device_ = 0;  ///< the one after the present
  std::string folder_;      ///< of the present device; empty = none yet
  std::optional<AuditStatus> status_;
  std::vector<std::string> partitions_;
  std::size_t partition_ = 0;  ///< the one after the present
  std::vector<std::string> suffixes_;
  std::vector<std::string> hashes_;
};

}  // namespace apus
