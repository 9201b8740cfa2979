#include "framework/ring/tier_tree.h"

#include <algorithm>
#include <tuple>

namespace apus {
namespace {

bool same_tier(const RingDevice& a, const RingDevice& b, int depth) {
  return a.region == b.region && (depth < 2 || a.zone == b.zone) && (depth < 3 || a.ip == b.ip) &&
         (depth < kDeviceDepth || a.id == b.id);
}

}  // namespace

TierTree::TierTree(const std::vector<std::optional<BuilderDevice>>& devices)
    : devices_(devices), paths_(devices.size()) {
  std::vector<const BuilderDevice*> order;
  for (const auto& device : devices) {
    if (device) order.push_back(&*device);
  }
  const auto place = [](const BuilderDevice* d) {
    return std::tie(d->region, d->zone, d->ip, d->id);
  };
  std::sort(order.begin(), order.end(),
            [&](const auto* a, const auto* b) { return place(a) < place(b); });

  Tier root;
  for (const auto* device : order) {
    root.weight += device->weight;
    root.weighted_devices += device->weight > 0 ? 1 : 0;
  }
  tiers_.push_back(root);
  for (int depth = 1; depth <= kDeviceDepth; ++depth) {
    const BuilderDevice* last = nullptr;
    for (const auto* device : order) {
      const auto id = static_cast<std::size_t>(device->id);
      if (last == nullptr || !same_tier(*last, *device, depth)) {
        Tier tier;
        tier.depth = depth;
        tier.parent = depth == 1 ? 0 : paths_[id][static_cast<std::size_t>(depth - 2)];
        tier.device = device->id;
        Tier& parent = tiers_[tier.parent];
        if (parent.children++ == 0) parent.first_child = static_cast<std::uint32_t>(tiers_.size());
        tiers_.push_back(tier);
        last = device;
      }
      Tier& tier = tiers_.back();
      tier.weight += device->weight;
      tier.weighted_devices += device->weight > 0 ? 1 : 0;
      paths_[id][static_cast<std::size_t>(depth - 1)] =
          static_cast<std::uint32_t>(tiers_.size() - 1);
    }
  }
}

TierName TierTree::name(std::uint32_t index) const {
  const Tier& tier = tiers_[index];
  TierName out;
  out.depth = tier.depth;
  if (tier.device < 0) return out;
  const BuilderDevice& device = *devices_[static_cast<std::size_t>(tier.device)];
  out.region = device.region;
  if (tier.depth >= 2) out.zone = device.zone;
  if (tier.depth >= kServerDepth) out.ip = device.ip;
  if (tier.depth >= kDeviceDepth) out.device = device.id;
  return out;
}

int TierTree::weighted_children(const Tier& tier) const {
  const auto first = tiers_.begin() + tier.first_child;
  return static_cast<int>(std::count_if(first, first + tier.children,
                                        [](const Tier& t) { return t.weighted_devices > 0; }));
}

}  // namespace apus
