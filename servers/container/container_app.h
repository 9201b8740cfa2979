// The container server: listings and rows of objects, ranges of shards, and what replicators ask.
#pragma once

#include <apus/plugin.h>

#include <optional>
#include <string>
#include <vector>

#include "framework/backend/database_server.h"
#include "framework/backend/replication_rpc.h"
#include "framework/store/db/container_broker.h"
#include "servers/container/account_update.h"
#include "servers/container/sync_target.h"

namespace apus {

class ContainerApp final : public App {
 public:
  explicit ContainerApp(const PluginArgs& args);
  Response operator()(Request& request) const override;

 private:
  Response dispatch(Request& request, const BackendPath& path, ContainerBroker& broker) const;
  Response write(Request& request, const BackendPath& path, ContainerBroker& broker,
                 const Timestamp& timestamp) const;

  // Containers.
  Response put(const Request& request, const BackendPath& path, ContainerBroker& broker,
               const Timestamp& timestamp) const;
  Response put_shards(Request& request, const BackendPath& path, ContainerBroker& broker,
                      const Timestamp& timestamp) const;
  Response post(const Request& request, ContainerBroker& broker, const Timestamp& timestamp) const;
  Response remove(const Request& request, const BackendPath& path, ContainerBroker& broker,
                  const Timestamp& timestamp) const;
  /// Makes or revives the database. True when it is new; nothing sets `refusal` (409).
  [[nodiscard]] std::optional<bool> update_or_create(ContainerBroker& broker,
                                                     const Timestamp& timestamp,
                                                     std::int64_t fresh_policy,
                                                     std::optional<int> asked_policy,
                                                     Response& refusal) const;
  /// Stores the request's metadata; Swift's 400 text when it passes the limits.
  [[nodiscard]] std::string keep_metadata(const Request& request, ContainerBroker& broker,
                                          const Timestamp& timestamp) const;

  // Objects.
  Response object_row(const Request& request, const BackendPath& path, ContainerBroker& broker,
                      const Timestamp& timestamp) const;
  Response update(Request& request, const BackendPath& path, ContainerBroker& broker,
                  const Timestamp& timestamp) const;
  [[nodiscard]] std::optional<Response> redirect_to_shard(const Request& request,
                                                          const BackendPath& path,
                                                          ContainerBroker& broker) const;
  /// Makes the database of an account that servers make for themselves. True when it is new;
  /// nothing sets `refusal` (404 when there is none and none may be made, 400 without a policy).
  [[nodiscard]] std::optional<bool> autocreate(const Request& request, const BackendPath& path,
                                               ContainerBroker& broker, const Timestamp& timestamp,
                                               std::optional<int> policy, Response& refusal) const;

  // Reads.
  Response get(const Request& request, const BackendPath& path, ContainerBroker& broker) const;
  Response list_objects(const Request& request, const BackendPath& path, ContainerBroker& broker,
                        const ContainerStat& stat, const ListingQuery& query, ListingFormat format,
                        Response out) const;
  Response list_shards(const Request& request, ContainerBroker& broker, const ContainerStat& stat,
                       const ListingQuery& query, ListingFormat format, Response out) const;
  void show_stat(Response& out, const ContainerStat& stat, bool deleted) const;
  void show_kept_metadata(Response& out, const ContainerStat& stat) const;

  /// The policy that the request names; nothing inside when it names none, nothing at all sets
  /// `refusal` (400).
  [[nodiscard]] std::optional<std::optional<int>> named_policy(const Request& request,
                                                               Response& refusal) const;

  DatabaseServer server_;
  ReplicationRpc replication_;
  AccountUpdate account_update_;
  SyncTargets sync_targets_;
  std::vector<std::string_view> kept_;  ///< headers stored besides metadata
};

}  // namespace apus
