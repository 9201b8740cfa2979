#include "plugins/container-reconciler/container_policies.h"

#include <apus/json.h>
#include <apus/ring.h>
#include <apus/text.h>

#include <vector>

#include "framework/backend/direct_call.h"
#include "framework/backend/replication_rpc.h"

namespace apus {
namespace {

constexpr std::chrono::seconds kKept{30};
constexpr std::size_t kMostKept = 1000;
constexpr const char* kZero = "0000000000.00000";

// What replicators compare, from the fields of a HEAD.
Json info_of(const Response& answer) {
  Json out;
  for (const auto& [name, field] : std::initializer_list<std::pair<const char*, const char*>>{
           {"put_timestamp", "X-Backend-Put-Timestamp"},
           {"delete_timestamp", "X-Backend-Delete-Timestamp"},
           {"status_changed_at", "X-Backend-Status-Changed-At"}})
    out.set(name, Json(std::string(answer.internal.get(field, kZero))));
  const auto policy = parse_int(answer.internal.get("X-Backend-Storage-Policy-Index"));
  out.set("storage_policy_index", Json(policy.value_or(0)));
  return out;
}

bool never_had_it(const Json& info) {
  return *info.find("put_timestamp")->text() == kZero &&
         *info.find("status_changed_at")->text() == kZero;
}

}  // namespace

std::optional<std::int64_t> ContainerPolicies::policy_of(const std::string& account,
                                                         const std::string& container) {
  const std::string name = account + "/" + container;
  {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(name);
    if (found != known_.end() && host_.clock().steady() < found->second.until)
      return found->second.policy;
  }
  const auto policy = ask(account, container);
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kMostKept) known_.clear();
  known_[name] = {policy, host_.clock().steady() + kKept};
  return policy;
}

std::optional<std::int64_t> ContainerPolicies::ask(const std::string& account,
                                                   const std::string& container) const {
  const auto ring = host_.rings().container();
  const std::uint32_t partition =
      ring->partition_of(host_.swift_conf().hash_path(account, container));
  std::vector<Call> calls;
  for (const RingNode& node : ring->primaries(partition)) {
    calls.push_back(direct_call(*node.device, "HEAD", partition, "/" + account + "/" + container,
                                {{"X-Timestamp", host_.clock().timestamp().internal()}}));
  }
  const std::size_t majority = calls.size() / 2 + 1;
  const auto outcomes = host_.transport().gather(
      std::move(calls), kReconcilerPatience, [](const auto&) { return false; },
      std::chrono::milliseconds(0));
  std::size_t answers = 0;
  std::optional<Json> best;
  for (const Outcome& outcome : outcomes) {
    if (!outcome.response) continue;
    if (!outcome.response->is_success() && outcome.response->status != 404) continue;
    ++answers;
    Json info = info_of(*outcome.response);
    if (never_had_it(info)) continue;
    if (!best || peer_has_better_policy(*best, info)) best = std::move(info);
  }
  if (answers < majority) return std::nullopt;
  return best ? *best->find("storage_policy_index")->integer() : 0;
}

}  // namespace apus
