// What replicators and sharders of container databases tell their peers besides rows.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "framework/backend/database_replicator.h"
#include "framework/store/db/container_broker.h"

namespace apus {

/// Shard ranges in both directions, policies, and rows that wait until they are cleaved.
class APUS_API ContainerReplication : public DatabaseReplicator {
 public:
  ContainerReplication(Host& host, const Options& options);
  ~ContainerReplication() override;

 protected:
  std::unique_ptr<Broker> broker_at(const DatabasePlace& place) override;
  std::shared_ptr<const Ring> ring() override;
  void add_sync_arguments(const Json& info, Json::Array& arguments) const override;
  std::optional<bool> before_rows(ReplicationPeer& peer, Broker& broker, const Json& info,
                                  const Json& theirs) override;
  bool may_leave(Broker& broker) override;
  [[nodiscard]] bool was_reported(const Json& info) const override;

  static ContainerBroker& container(Broker& broker);
  /// Where this machine keeps a container for a while: one of its primaries when it is here, else
  /// any device of `own` that has a weight. `device_id` is set to it. Throws std::runtime_error
  /// when `own` is empty.
  [[nodiscard]] DatabasePlace local_place(const Ring& of, const std::vector<const RingDevice*>& own,
                                          const std::string& account, const std::string& name,
                                          int& device_id) const;

 private:
  bool several_policies_;
};

}  // namespace apus
