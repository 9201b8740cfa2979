// Where the ring has something, as `swift-get-nodes` and the info tools show it.
#pragma once

#include <apus/ring.h>
#include <apus/swift_conf.h>

#include <optional>
#include <ostream>
#include <string>

namespace apus {

/// What is looked for, and how it is shown.
struct LocationQuery {
  std::string account;  ///< empty with a partition only
  std::string container;
  std::string object;
  std::string folder;                      ///< "accounts", "containers", "objects-1"
  std::optional<std::uint32_t> partition;  ///< instead of the name's own
  bool all_handoffs = false;               ///< else as many as there are primaries
  std::optional<int> policy;               ///< named in the curl lines
};

/// Partition, hash, nodes, and lines for curl and ssh. Throws std::invalid_argument for a partition
/// that the ring has not. `conf` may be null when only the partition is asked for.
void print_ring_locations(std::ostream& out, const Ring& ring, const SwiftConf* conf,
                          const LocationQuery& query);

/// FOLDER/NAME.ring.gz; null when it is not there or is no ring.
std::shared_ptr<const Ring> find_ring(const std::string& folder, const std::string& name);

}  // namespace apus
