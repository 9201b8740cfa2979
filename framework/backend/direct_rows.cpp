#include "framework/backend/direct_rows.h"

#include <apus/ring.h>

#include <vector>

#include "framework/backend/direct_call.h"

namespace apus {

void delete_row(Host& host, Logger& log, const std::string& account, const std::string& container,
                const std::string& row, const Timestamp& when, const Deadlines& deadlines) {
  const auto ring = host.rings().container();
  const std::uint32_t partition =
      ring->partition_of(host.swift_conf().hash_path(account, container));
  const std::string name = "/" + account + "/" + container + "/" + row;
  std::vector<Call> calls;
  for (const RingNode& node : ring->primaries(partition)) {
    calls.push_back(
        direct_call(*node.device, "DELETE", partition, name, {{"X-Timestamp", when.internal()}}));
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
