// One row of a container, brought to the container that it is synced to.
#pragma once

#include <apus/host.h>

#include <stop_token>
#include <string>

#include "framework/pipeline/internal_client.h"
#include "framework/store/db/container_broker.h"
#include "plugins/container-sync/remote_container.h"
#include "plugins/container-sync/sync_stats.h"

namespace apus {

/// One thread; made for one container.
class RowSync {
 public:
  RowSync(Host& host, Logger& log, const InternalClient& client, const RemoteContainer& remote,
          const ContainerStat& stat, SyncReport& report, const std::stop_token& stop)
      : host_(host),
        log_(log),
        client_(client),
        remote_(remote),
        stat_(stat),
        report_(report),
        stop_(stop) {}

  /// True when the remote container has what the row says, or something newer. A failure is logged
  /// and counted, none is thrown. `row` is an object of Broker::rows_since.
  bool sync(const Json& row);
  [[nodiscard]] const ContainerSyncStats& stats() const { return stats_; }

 private:
  /// A status of the remote that was not wanted.
  struct Refused {
    int status;
  };
  void remove(const std::string& name, const Timestamp& when);
  bool put(const std::string& name, const Timestamp& when);
  bool fail(const Json& row, const std::string& why);

  Host& host_;
  Logger& log_;
  const InternalClient& client_;
  const RemoteContainer& remote_;
  const ContainerStat& stat_;
  SyncReport& report_;
  const std::stop_token& stop_;
  ContainerSyncStats stats_;
};

}  // namespace apus
