#include "framework/backend/direct_rows.h"

#include <apus/ring.h>
#include <unistd.h>

#include <vector>

namespace apus {

void delete_row(Host& host, Logger& log, const std::string& account, const std::string& container,
                const std::string& row, const Timestamp& when, const Deadlines& deadlines) {
  const auto ring = host.rings().container();
  const std::uint32_t partition =
      ring->partition_of(host.swift_conf().hash_path(account, container));
  const std::string name =
      "/" + std::to_string(partition) + "/" + account + "/" + container + "/" + row;
  std::vector<Call> calls;
  for (const RingNode& node : ring->primaries(partition)) {
    const RingDevice& device = *node.device;
    Call call{Endpoint{device.replication_ip, device.replication_port},
              Request("DELETE", "/" + device.device + name)};
    call.request.headers.set("X-Timestamp", when.internal());
    call.request.headers.set("User-Agent", "direct-client " + std::to_string(::getpid()));
    call.request.internal.set("X-Backend-Allow-Reserved-Names", "true");
    call.request.internal.set("X-Backend-Use-Replication-Network", "true");
    calls.push_back(std::move(call));
  }
  const auto outcomes = host.transport().gather(
      std::move(calls), deadlines, [](const auto&) { return false; }, std::chrono::milliseconds(0));
  for (const Outcome& outcome : outcomes) {
    if (outcome.response && outcome.response->is_success()) continue;
    log.debug("DELETE of " + name + ": " +
              (outcome.response ? std::to_string(outcome.response->status)
                                : std::string(outcome.error->what())));
  }
}

}  // namespace apus
