// Keeps the copies of every container database alike, their shard ranges and policies too, and
// queues rows of objects that lie in another policy than their container.
#include <apus/plugin.h>
#include <apus/text.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "framework/backend/database_replicator.h"
#include "framework/backend/misplaced_queue.h"
#include "framework/backend/replication_rpc.h"
#include "framework/backend/replicator_options.h"
#include "framework/backend/sync_store.h"
#include "framework/store/db/container_broker.h"

namespace apus {
namespace {

constexpr auto kOptions = replicator_options("6201", "{replication_ip}::container");

std::string member(const Json& dict, const char* name) {
  const Json* value = dict.find(name);
  return value != nullptr && value->text() != nullptr ? *value->text() : "";
}
std::int64_t number(const Json& dict, const char* name) {
  const Json* value = dict.find(name);
  return value != nullptr && value->integer() != nullptr ? *value->integer() : -1;
}

class ContainerReplicator final : public DatabaseReplicator {
 public:
  explicit ContainerReplicator(const PluginArgs& args)
      : DatabaseReplicator(args.host, args.options, "container"),
        several_policies_(args.host.swift_conf().policies.size() > 1) {}

 private:
  std::unique_ptr<Broker> broker_at(const DatabasePlace& place) override {
    return std::make_unique<ContainerBroker>(services(), place, "", "");
  }
  std::shared_ptr<const Ring> ring() override { return host_.rings().container(); }

  static ContainerBroker& container(Broker& broker) {
    return dynamic_cast<ContainerBroker&>(broker);
  }

  void add_sync_arguments(const Json& info, Json::Array& arguments) const override {
    if (!several_policies_) return;
    for (const char* name : {"status_changed_at", "count", "storage_policy_index"})
      arguments.push_back(*info.find(name));
  }

  bool was_reported(const Json& info) const override {
    return member(info, "reported_put_timestamp") == member(info, "put_timestamp") &&
           member(info, "reported_delete_timestamp") == member(info, "delete_timestamp") &&
           number(info, "reported_object_count") == number(info, "count") &&
           number(info, "reported_bytes_used") == number(info, "bytes_used");
  }

  std::optional<bool> before_rows(ReplicationPeer& peer, Broker& broker, const Json& info,
                                  const Json& theirs) override {
    ContainerBroker& own = container(broker);
    const std::int64_t policy = number(theirs, "storage_policy_index");
    if (policy >= 0 && policy != number(info, "storage_policy_index") &&
        peer_has_better_policy(info, theirs))
      own.set_policy(policy, host_.clock().timestamp());
    for (const char* name : {"created_at", "put_timestamp", "delete_timestamp"}) {
      if (member(info, name) == member(theirs, name)) continue;
      own.merge_timestamps(member(theirs, "created_at"), member(theirs, "put_timestamp"),
                           member(theirs, "delete_timestamp"));
      break;
    }
    if (number(theirs, "shard_max_row") >= 0) fetch_shard_ranges(peer, own);
    const bool sent = send_shard_ranges(peer, own, member(info, "id"));
    if (own.sharding_initiated()) return sent;  // rows stay until they are cleaved
    return sent ? std::nullopt : std::optional(false);
  }

  static void fetch_shard_ranges(ReplicationPeer& peer, ContainerBroker& own) {
    const auto answer = peer.call("get_shard_ranges", {});
    const auto dicts = answer.good() ? Json::parse(answer.body) : std::nullopt;
    if (!dicts || dicts->array() == nullptr) return;
    std::vector<ShardRange> ranges;
    for (const Json& dict : *dicts->array()) {
      std::string why;
      if (auto range = ShardRange::from_json(dict, why)) ranges.push_back(std::move(*range));
    }
    own.merge_shard_ranges(std::move(ranges));
  }

  static bool send_shard_ranges(ReplicationPeer& peer, ContainerBroker& own,
                                const std::string& id) {
    ShardQuery all;
    all.include_deleted = all.include_own = true;
    Json::Array dicts;
    for (const ShardRange& range : own.shard_ranges(all)) dicts.push_back(range.to_json());
    if (dicts.empty()) return true;
    return peer.call("merge_shard_ranges", {Json(std::move(dicts)), Json(id)}).good();
  }

  bool may_leave(Broker& broker) override {
    ContainerBroker& own = container(broker);
    return own.state() != ShardingState::kSharding &&
           (own.state() != ShardingState::kUnsharded || !own.sharding_initiated());
  }

  void after(Broker& broker, const Json& info, const std::vector<bool>& successes) override {
    if (member(info, "account") == kMisplacedAccount) return;
    ContainerBroker& own = container(broker);
    update_sync_store(host_.disk(), log_, own);
    const std::int64_t point = own.reconciler_sync_point();
    const std::int64_t max_row = number(info, "max_row");
    if (!own.has_several_policies()) {
      if (max_row != point) own.set_reconciler_sync_point(max_row);
      return;
    }
    const std::int64_t queued = queue_misplaced(own, point);
    const auto good =
        static_cast<std::size_t>(std::count(successes.begin(), successes.end(), true));
    if (queued > point && good >= successes.size() / 2 + 1) own.set_reconciler_sync_point(queued);
  }

  // Queues every row behind `point` whose policy is not the container's; how far all were queued.
  std::int64_t queue_misplaced(ContainerBroker& own, std::int64_t point) {
    const std::int64_t last = own.max_row();
    auto rows = own.misplaced_since(point, per_diff_);
    if (rows.empty()) return last;
    for (; !rows.empty(); rows = own.misplaced_since(point, per_diff_)) {
      std::map<std::string, std::vector<ObjectRow>> batches;
      for (const auto& [number_of_row, row] : rows) {
        batches[misplaced_container_of(row)].push_back(misplaced_entry(row, own.root_path()));
        point = number_of_row;
      }
      for (const auto& [queue, entries] : batches) feed(queue, entries);
    }
    return point;
  }

  // A queue that others of this pass may be feeding goes when they are done.
  bool must_wait(const Json& info, const DatabasePlace& place, int device_id) override {
    if (finishing_ || member(info, "account") != kMisplacedAccount) return false;
    const std::lock_guard lock(mutex_);
    queues_.try_emplace(place.folder(), place, device_id);
    return true;
  }

  // Into a local copy of the queue container; the pass's end brings it to where it belongs.
  void feed(const std::string& queue, const std::vector<ObjectRow>& entries) {
    const auto loaded = ring();
    const std::string hash = host_.swift_conf().hash_path(kMisplacedAccount, queue);
    const std::uint32_t partition = loaded->partition_of(hash);
    const auto own = own_devices(*loaded);
    if (own.empty()) throw std::runtime_error("no local device for " + queue);
    const RingDevice* chosen = own.front();
    for (const RingNode& node : loaded->primaries(partition)) {
      for (const RingDevice* device : own) {
        if (device->id == node.device->id) chosen = device;
      }
    }
    const DatabasePlace place{root_ + "/" + chosen->device, "containers", std::to_string(partition),
                              hash};
    ContainerBroker broker(services(), place, kMisplacedAccount, queue);
    if (!broker.exists()) broker.create(Timestamp::parse(queue).value_or(Timestamp()), 0);
    broker.merge_objects(entries);
    const std::lock_guard lock(mutex_);
    queues_.try_emplace(place.folder(), place, chosen->id);
  }

  void finish_pass(const std::stop_token& stop) override {
    std::map<std::string, std::pair<DatabasePlace, int>> queues;
    {
      const std::lock_guard lock(mutex_);
      queues.swap(queues_);
    }
    finishing_ = true;
    for (const auto& [folder, queue] : queues) {
      if (stop.stop_requested()) break;
      replicate(queue.first, queue.second);
    }
    finishing_ = false;
  }

  bool several_policies_;
  std::mutex mutex_;
  /// Fed in this pass, or to go at its end; by folder.
  std::map<std::string, std::pair<DatabasePlace, int>> queues_;
  bool finishing_ = false;
};

}  // namespace

APUS_EXPORT_DAEMON("container-replicator", "1.0", ContainerReplicator, kOptions)

}  // namespace apus
