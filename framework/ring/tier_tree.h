// The failure domains of a ring's devices as a tree: cluster, regions, zones, servers, devices.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "framework/ring/builder_state.h"

namespace apus {

/// Depths of the tree.
constexpr int kServerDepth = 3;
constexpr int kDeviceDepth = 4;

/// One failure domain.
struct Tier {
  int depth = 0;
  std::uint32_t parent = 0;
  std::uint32_t first_child = 0;  ///< children stand side by side
  std::uint32_t children = 0;
  int device = -1;           ///< its first device; its only one at kDeviceDepth
  int weighted_devices = 0;  ///< devices below it that have weight
  double weight = 0;
};

/// A snapshot: devices that change later are not seen. Tiers are ordered by depth, then as Swift
/// sorts them (region, zone, ip, id); the cluster is the first.
class APUS_API TierTree {
 public:
  explicit TierTree(const std::vector<std::optional<BuilderDevice>>& devices);

  /// The tiers of a device: region, zone, server, device.
  using Path = std::array<std::uint32_t, 4>;

  [[nodiscard]] const std::vector<Tier>& tiers() const { return tiers_; }
  [[nodiscard]] const Path& path(int device) const {
    return paths_[static_cast<std::size_t>(device)];
  }
  [[nodiscard]] TierName name(std::uint32_t tier) const;
  /// How many of its children have a device with weight.
  [[nodiscard]] int weighted_children(const Tier& tier) const;
  [[nodiscard]] std::size_t size() const { return tiers_.size(); }

 private:
  const std::vector<std::optional<BuilderDevice>>& devices_;
  std::vector<Tier> tiers_;
  std::vector<Path> paths_;  ///< by device id
};

}  // namespace apus
