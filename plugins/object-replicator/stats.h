// What a pass did, as /recon and log lines tell it.
#pragma once

#include <apus/json.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace apus {

/// Counts of one device or of all, with Swift's names. A value.
struct ReplicationStats {
  using Node = std::pair<std::string, std::string>;  ///< replication address and device

  std::int64_t attempted = 0;  ///< partitions
  std::int64_t failure = 0;    ///< peers
  std::int64_t success = 0;    ///< peers
  std::int64_t hashmatch = 0;
  std::int64_t remove = 0;
  std::int64_t rsync = 0;  ///< hand-overs by either method
  std::int64_t suffix_count = 0;
  std::int64_t suffix_hash = 0;
  std::int64_t suffix_sync = 0;
  std::map<std::string, std::map<std::string, std::int64_t>> failure_nodes;

  void add_failures(const std::set<Node>& nodes);
  ReplicationStats& operator+=(const ReplicationStats& other);
  [[nodiscard]] Json json() const;
};

}  // namespace apus
