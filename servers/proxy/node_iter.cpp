#include "servers/proxy/node_iter.h"

#include <apus/text.h>

#include <algorithm>

namespace apus {
namespace {

bool contains(const std::vector<RingNode>& nodes, const RingNode& node) {
  return std::any_of(nodes.begin(), nodes.end(),
                     [&](const RingNode& one) { return one.device == node.device; });
}

// Up to `count` local nodes, of the primaries (when `with_primaries`) and the handoffs.
std::vector<RingNode> take_local(const Place& place, const Affinity& affinity, std::int64_t count,
                                 bool with_primaries) {
  std::vector<RingNode> out;
  const auto full = [&] { return static_cast<std::int64_t>(out.size()) >= count; };
  if (with_primaries) {
    for (const RingNode& node : place.ring->primaries(place.partition)) {
      if (!full() && is_local(affinity, *node.device)) out.push_back(node);
    }
  }
  const auto walk = place.ring->handoffs(place.partition);
  while (!full()) {
    const auto node = walk->next();
    if (!node) break;
    if (is_local(affinity, *node->device)) out.push_back(*node);
  }
  return out;
}

}  // namespace

NodeIter::NodeIter(const Services& services, const Place& place, const PolicyConf& policy,
                   std::string_view kind, std::vector<RingNode> preferred)
    : services_(&services),
      ring_(place.ring),
      partition_(place.partition),
      kind_(kind),
      first_(place.ring->primaries(place.partition)),
      primary_count_(first_.size()),
      left_(services.conf.request_node_count.of(first_.size())),
      expected_handoffs_(left_ - static_cast<std::int64_t>(first_.size())) {
  if (!preferred.empty()) {
    preferred_ = preferred;
    for (const RingNode& node : first_) {
      if (!contains(preferred_, node)) preferred.push_back(node);
    }
    first_ = std::move(preferred);
  }
  if (primary_count_ < 2) return;
  std::vector<RingNode> primaries(first_.begin(),
                                  first_.begin() + static_cast<std::ptrdiff_t>(primary_count_));
  sort(primaries, policy);
  std::copy(primaries.begin(), primaries.end(), first_.begin());
}

void NodeIter::sort(std::vector<RingNode>& nodes, const PolicyConf& policy) const {
  for (std::size_t i = nodes.size(); i > 1; --i)
    std::swap(nodes[i - 1], nodes[services_->host.entropy().below(i)]);
  const auto by = [&](auto key) {
    std::stable_sort(nodes.begin(), nodes.end(), [&](const RingNode& a, const RingNode& b) {
      return key(*a.device) < key(*b.device);
    });
  };
  if (policy.sorting == Sorting::kTiming)
    by([&](const RingDevice& device) { return services_->timings().of(device); });
  if (policy.sorting == Sorting::kAffinity)
    by([&](const RingDevice& device) { return priority_of(policy.read_affinity, device); });
}

std::optional<RingNode> NodeIter::following() {
  if (at_ < first_.size()) return first_[at_++];
  if (walk_ == nullptr) walk_ = ring_->handoffs(partition_);
  while (auto node = walk_->next()) {
    if (!contains(preferred_, *node)) return node;
  }
  return std::nullopt;
}

void NodeIter::tell_of_handoff() {
  ++handoffs_;
  const std::int64_t extra = handoffs_ - expected_handoffs_;
  if (!services_->conf.log_handoffs || extra <= 0) return;
  const std::string prefix = lower(kind_) + ".";
  services_->host.metrics().increment(prefix + "handoff_count");
  services_->log.warning("Handoff requested (" + std::to_string(handoffs_) + ")");
  if (extra == static_cast<std::int64_t>(primary_count_))
    services_->host.metrics().increment(prefix + "handoff_all_count");
}

std::optional<RingNode> NodeIter::next() {
  const ErrorLimiter& limiter = services_->limiter();
  if (last_ != nullptr && !limiter.limited(*last_) && --left_ <= 0) return std::nullopt;
  if (left_ <= 0 && last_ != nullptr) return std::nullopt;
  while (auto node = following()) {
    if (limiter.limited(*node->device)) continue;
    last_ = node->device;
    if (at_ > primary_count_ || walk_ != nullptr) tell_of_handoff();
    return node;
  }
  last_ = nullptr;
  left_ = 0;
  return std::nullopt;
}

std::vector<RingNode> local_first(const Place& place, const PolicyConf& policy) {
  if (policy.write_affinity.empty()) return {};
  const std::size_t replicas = place.ring->primaries(place.partition).size();
  return take_local(place, policy.write_affinity, policy.write_affinity_node_count.of(replicas),
                    true);
}

DeleteNodes delete_nodes(const Place& place, const PolicyConf& policy) {
  DeleteNodes out{place.ring->primaries(place.partition), 0};
  out.count = out.preferred.size();
  if (policy.write_affinity.empty()) {
    out.preferred.clear();
    return out;
  }
  const auto local = std::count_if(
      out.preferred.begin(), out.preferred.end(),
      [&](const RingNode& node) { return is_local(policy.write_affinity, *node.device); });
  const std::int64_t handoffs = policy.write_affinity_handoff_delete_count.value_or(
      static_cast<std::int64_t>(out.count) - static_cast<std::int64_t>(local));
  for (const RingNode& node : take_local(place, policy.write_affinity, handoffs, false))
    out.preferred.push_back(node);
  out.count += static_cast<std::size_t>(std::max<std::int64_t>(handoffs, 0));
  return out;
}

}  // namespace apus
