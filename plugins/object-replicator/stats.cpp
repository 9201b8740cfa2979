#include "plugins/object-replicator/stats.h"

namespace apus {

void ReplicationStats::add_failures(const std::set<Node>& nodes) {
  failure += static_cast<std::int64_t>(nodes.size());
  for (const auto& [address, device] : nodes) ++failure_nodes[address][device];
}

ReplicationStats& ReplicationStats::operator+=(const ReplicationStats& other) {
  attempted += other.attempted;
  failure += other.failure;
  success += other.success;
  hashmatch += other.hashmatch;
  remove += other.remove;
  rsync += other.rsync;
  suffix_count += other.suffix_count;
  suffix_hash += other.suffix_hash;
  suffix_sync += other.suffix_sync;
  for (const auto& [address, devices] : other.failure_nodes) {
    for (const auto& [device, count] : devices) failure_nodes[address][device] += count;
  }
  return *this;
}

Json ReplicationStats::json() const {
  Json nodes{Json::Object{}};
  for (const auto& [address, devices] : failure_nodes) {
    Json counts{Json::Object{}};
    for (const auto& [device, count] : devices) counts.set(device, Json(count));
    nodes.set(address, std::move(counts));
  }
  Json out;
  out.set("attempted", attempted);
  out.set("failure", failure);
  out.set("hashmatch", hashmatch);
  out.set("remove", remove);
  out.set("rsync", rsync);
  out.set("success", success);
  out.set("suffix_count", suffix_count);
  out.set("suffix_hash", suffix_hash);
  out.set("suffix_sync", suffix_sync);
  out.set("failure_nodes", std::move(nodes));
  return out;
}

}  // namespace apus
