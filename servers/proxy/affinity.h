// Which nodes are near: the values of read_affinity and write_affinity.
#pragma once

#include <apus/ring.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace apus {

/// One piece: "r1=100", "r1z2=200" or, without priority, "r1", "r1z2".
struct AffinityRule {
  int region = 0;
  std::optional<int> zone;
  std::int64_t priority = 0;

  [[nodiscard]] bool fits(const RingDevice& device) const {
    return device.region == region && (!zone || device.zone == *zone);
  }
};
using Affinity = std::vector<AffinityRule>;

/// By priority, smallest first. Nothing when a piece is malformed; a blank text is an empty list.
std::optional<Affinity> parse_affinity(std::string_view text, bool with_priority);

/// What nodes are sorted by; those that no rule fits come last.
std::int64_t priority_of(const Affinity& affinity, const RingDevice& device);
bool is_local(const Affinity& affinity, const RingDevice& device);

}  // namespace apus
