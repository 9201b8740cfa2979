#include "servers/proxy/row_updates.h"

#include <algorithm>

#include "servers/proxy/best_response.h"

namespace apus {

void RowUpdates::spread(const Place& place, std::size_t updates, bool backwards) {
  partition_ = std::to_string(place.partition);
  const auto nodes = place.ring->primaries(place.partition);
  if (nodes.empty() || shares_.empty()) return;
  updates = std::max(updates, nodes.size());
  for (std::size_t i = 0; i < updates; ++i) {
    const RingDevice& device = *nodes[i % nodes.size()].device;
    const std::size_t index = i % shares_.size();
    Share& share = shares_[backwards ? shares_.size() - 1 - index : index];
    if (!share.hosts.empty()) {
      share.hosts += ",";
      share.devices += ",";
    }
    share.hosts.append(device.ip).append(":").append(std::to_string(device.port));
    share.devices += device.device;
  }
}

void RowUpdates::dress(Request& to, std::size_t index, std::string_view prefix) const {
  if (index >= shares_.size() || shares_[index].hosts.empty()) return;
  const std::string start(prefix);
  to.internal.set(start + "Partition", partition_);
  to.internal.set(start + "Host", shares_[index].hosts);
  to.internal.set(start + "Device", shares_[index].devices);
}

std::size_t updates_needed(std::size_t containers, std::size_t objects) {
  return std::max(quorum_size(containers) + objects - quorum_size(objects), containers);
}

}  // namespace apus
