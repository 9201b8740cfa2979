// Where a container is synced to: which targets are accepted, and the folder of links by which the
// sync daemon finds such containers.
#pragma once

#include <apus/host.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/store/db/container_broker.h"

namespace apus {

class SyncTargets {
 public:
  /// `allowed_hosts` for targets that are URLs.
  SyncTargets(Host& host, Logger& log, std::vector<std::string> allowed_hosts);

  /// Swift's 400 text for an X-Container-Sync-To that is not acceptable; else empty.
  [[nodiscard]] std::string check(std::string_view target) const;
  /// Links or unlinks the database under sync_containers, as its metadata says. Failures are
  /// logged.
  void update_store(ContainerBroker& broker) const;

 private:
  Host& host_;
  Logger& log_;
  std::vector<std::string> allowed_hosts_;
};

}  // namespace apus
