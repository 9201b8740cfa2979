// The nodes one request tries, in order: primaries, then handoffs, without those that fail too
// often.
#pragma once

#include <apus/ring.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "servers/proxy/services.h"

namespace apus {

/// Gives at most request_node_count nodes; one that became limited meanwhile does not count.
/// `services` outlives it; it keeps the ring.
class NodeIter {
 public:
  /// `preferred` come first, whatever they are (write affinity). `kind` ("Object", static) names
  /// the metrics. Primaries are sorted as the policy says.
  NodeIter(const Services& services, const Place& place, const PolicyConf& policy,
           std::string_view kind, std::vector<RingNode> preferred = {});

  std::optional<RingNode> next();
  [[nodiscard]] std::size_t primaries() const { return primary_count_; }

 private:
  [[nodiscard]] std::optional<RingNode> following();
  void sort(std::vector<RingNode>& nodes, const PolicyConf& policy) const;
  void tell_of_handoff();

  const Services* services_;
  std::shared_ptr<const Ring> ring_;
  std::uint32_t partition_;
  std::string_view kind_;
  std::vector<RingNode> first_;      // given out one by one
  std::vector<RingNode> preferred_;  // not given out again by the walk
  std::size_t at_ = 0;
  std::size_t primary_count_;  // of `first_`, those that count as primaries
  std::unique_ptr<HandoffWalk> walk_;
  std::int64_t left_;
  std::int64_t expected_handoffs_;
  std::int64_t handoffs_ = 0;
  const RingDevice* last_ = nullptr;
};

/// The nodes a write prefers: local primaries and handoffs first. Empty without write_affinity.
std::vector<RingNode> local_first(const Place& place, const PolicyConf& policy);
/// For DELETE: the primaries, then as many local handoffs as copies may have gone to.
struct DeleteNodes {
  std::vector<RingNode> preferred;
  std::size_t count = 0;  ///< of requests to send
};
DeleteNodes delete_nodes(const Place& place, const PolicyConf& policy);

}  // namespace apus
