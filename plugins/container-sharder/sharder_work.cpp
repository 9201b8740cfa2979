#include "plugins/container-sharder/sharder_work.h"

#include <apus/text.h>

namespace apus {

ShardCopy SharderWork::shard_copy(const ShardRange& range, const std::string& root,
                                  std::int64_t policy) const {
  int device_id = -1;
  const DatabasePlace place = place_of(range, device_id);
  ContainerBroker broker(services, place, range.account(), range.container());
  Patience patience;
  patience.lock = settings.broker_timeout;
  broker.set_patience(patience);
  const Timestamp put = now();
  const bool made = !broker.exists() && broker.create(put, policy, range.epoch);
  broker.merge_shard_ranges({range});
  broker.set_sharding_sysmeta("Quoted-Root", quote(root));
  broker.merge_metadata({{"X-Container-Sysmeta-Sharding", {"True", now().internal()}}});
  return {std::move(broker), device_id, made ? put.internal() : ""};
}

std::string SharderWork::name_of(ContainerBroker& broker) { return quote(broker.path()); }

std::string SharderWork::name_of(const ShardRange& range) {
  return quote(range.name) + " (" + python_repr(range.lower) + " to " + python_repr(range.upper) +
         ", " + std::string(shard_state_name(range.state)) + ")";
}

}  // namespace apus
