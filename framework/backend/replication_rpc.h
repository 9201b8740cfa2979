// REPLICATE: what one database's replicator asks of its peers, each call a JSON array
// ["name", arguments...].
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "framework/backend/database_server.h"
#include "framework/store/db/broker.h"

namespace apus {

/// Answers the calls sync, merge_items, merge_syncs, rsync_then_merge, complete_rsync, and for
/// containers merge_shard_ranges and get_shard_ranges. One object serves all threads.
class APUS_API ReplicationRpc {
 public:
  /// A broker of the database at a place, or of one file that is on its way there.
  using MakeBroker = std::function<std::unique_ptr<Broker>(DatabasePlace place, std::string file)>;
  ReplicationRpc(const DatabaseServer& server, MakeBroker make_broker);

  /// `request.path` is "/DEVICE/PARTITION/HASH".
  Response operator()(Request& request) const;

 private:
  [[nodiscard]] Response dispatch(const DatabasePlace& place, const std::string& call,
                                  std::span<const std::string_view> texts) const;
  [[nodiscard]] std::unique_ptr<Broker> broker_of(const DatabasePlace& place) const;
  [[nodiscard]] Response sync(Broker& broker, const Json::Array& arguments) const;
  /// Rows are read where they are merged, and not before.
  [[nodiscard]] Response merge_items(const DatabasePlace& place,
                                     std::span<const std::string_view> texts) const;
  [[nodiscard]] Response merge_syncs(Broker& broker, const Json::Array& arguments) const;
  [[nodiscard]] Response merge_shard_ranges(Broker& broker, const Json::Array& arguments) const;
  [[nodiscard]] Response get_shard_ranges(Broker& broker) const;
  [[nodiscard]] Response rsync_then_merge(const DatabasePlace& place, const std::string& id) const;
  [[nodiscard]] Response complete_rsync(const DatabasePlace& place, const std::string& id,
                                        const std::string& name) const;
  [[nodiscard]] bool exists(const std::string& path) const;
  /// Durable. Replaces `to` under the folder's lock, or takes its name without one where it is
  /// free. False when `to` is there and must not be, or is not there and must.
  [[nodiscard]] bool move_in(const DatabasePlace& place, const std::string& from,
                             const std::string& to, bool replace) const;

  const DatabaseServer& server_;
  MakeBroker make_broker_;
};

/// Whether a peer's policy of a container shall replace ours. Both are replication infos (texts
/// put_timestamp, delete_timestamp, status_changed_at; number count or object_count).
APUS_API bool peer_has_better_policy(const Json& ours, const Json& theirs);

}  // namespace apus
