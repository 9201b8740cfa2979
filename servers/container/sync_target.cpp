#include "servers/container/sync_target.h"

#include <apus/sync_realms.h>

#include "framework/backend/sync_store.h"
#include "framework/backend/sync_target.h"

namespace apus {

SyncTargets::SyncTargets(Host& host, Logger& log, std::vector<std::string> allowed_hosts)
    : host_(host), log_(log), allowed_hosts_(std::move(allowed_hosts)) {}

std::string SyncTargets::check(std::string_view target) const {
  return find_sync_target(target, allowed_hosts_, SyncRealms(host_.swift_conf().directory)).error;
}

void SyncTargets::update_store(ContainerBroker& broker) const {
  update_sync_store(host_.disk(), log_, broker);
}

}  // namespace apus
