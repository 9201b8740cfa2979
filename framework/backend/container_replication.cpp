#include "framework/backend/container_replication.h"

#include <apus/text.h>

#include "framework/backend/replication_rpc.h"

namespace apus {
namespace {

void fetch_shard_ranges(ReplicationPeer& peer, ContainerBroker& own) {
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

bool send_shard_ranges(ReplicationPeer& peer, ContainerBroker& own, const std::string& id) {
  ShardQuery all;
  all.include_deleted = all.include_own = true;
  Json::Array dicts;
  for (const ShardRange& range : own.shard_ranges(all)) dicts.push_back(range.to_json());
  if (dicts.empty()) return true;
  return peer.call("merge_shard_ranges", {Json(std::move(dicts)), Json(id)}).good();
}

}  // namespace

ContainerReplication::ContainerReplication(Host& host, const Options& options)
    : DatabaseReplicator(host, options, "container"),
      several_policies_(host.swift_conf().policies.size() > 1) {}
ContainerReplication::~ContainerReplication() = default;

std::unique_ptr<Broker> ContainerReplication::broker_at(const DatabasePlace& place) {
  return std::make_unique<ContainerBroker>(services(), place, "", "");
}
std::shared_ptr<const Ring> ContainerReplication::ring() { return host_.rings().container(); }

ContainerBroker& ContainerReplication::container(Broker& broker) {
  return dynamic_cast<ContainerBroker&>(broker);
}

void ContainerReplication::add_sync_arguments(const Json& info, Json::Array& arguments) const {
  if (!several_policies_) return;
  for (const char* name : {"status_changed_at", "count", "storage_policy_index"})
    arguments.push_back(*info.find(name));
}

bool ContainerReplication::was_reported(const Json& info) const {
  return info.text_at("reported_put_timestamp") == info.text_at("put_timestamp") &&
         info.text_at("reported_delete_timestamp") == info.text_at("delete_timestamp") &&
         info.integer_at("reported_object_count", -1) == info.integer_at("count", -1) &&
         info.integer_at("reported_bytes_used", -1) == info.integer_at("bytes_used", -1);
}

std::optional<bool> ContainerReplication::before_rows(ReplicationPeer& peer, Broker& broker,
                                                      const Json& info, const Json& theirs) {
  ContainerBroker& own = container(broker);
  const std::int64_t policy = theirs.integer_at("storage_policy_index", -1);
  if (policy >= 0 && policy != info.integer_at("storage_policy_index", -1) &&
      peer_has_better_policy(info, theirs))
    own.set_policy(policy, host_.clock().timestamp());
  for (const char* name : {"created_at", "put_timestamp", "delete_timestamp"}) {
    if (info.text_at(name) == theirs.text_at(name)) continue;
    own.merge_timestamps(theirs.text_at("created_at"), theirs.text_at("put_timestamp"),
                         theirs.text_at("delete_timestamp"));
    break;
  }
  if (theirs.integer_at("shard_max_row", -1) >= 0) fetch_shard_ranges(peer, own);
  const bool sent = send_shard_ranges(peer, own, info.text_at("id"));
  if (own.sharding_initiated()) return sent;  // rows stay until they are cleaved
  return sent ? std::nullopt : std::optional(false);
}

bool ContainerReplication::may_leave(Broker& broker) {
  ContainerBroker& own = container(broker);
  return own.state() != ShardingState::kSharding &&
         (own.state() != ShardingState::kUnsharded || !own.sharding_initiated());
}

DatabasePlace ContainerReplication::local_place(const Ring& of,
                                                const std::vector<const RingDevice*>& own,
                                                const std::string& account, const std::string& name,
                                                int& device_id) const {
  const std::string hash = host_.swift_conf().hash_path(account, name);
  const std::uint32_t partition = of.partition_of(hash);
  if (own.empty()) throw std::runtime_error("no local device for " + account + "/" + name);
  std::vector<const RingDevice*> weighty;
  for (const RingDevice* device : own) {
    if (device->weight > 0) weighty.push_back(device);
  }
  const std::vector<const RingDevice*>& some = weighty.empty() ? own : weighty;
  const RingDevice* chosen = some[host_.entropy().below(some.size())];
  for (const RingNode& node : of.primaries(partition)) {
    for (const RingDevice* device : own) {
      if (device->id != node.device->id) continue;
      device_id = device->id;
      return {root_ + "/" + device->device, "containers", std::to_string(partition), hash};
    }
  }
  device_id = chosen->id;
  return {root_ + "/" + chosen->device, "containers", std::to_string(partition), hash};
}

}  // namespace apus
