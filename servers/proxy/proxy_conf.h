// The options of [app:proxy-server] and of its [proxy-server:policy:N] sections, as values.
#pragma once

#include <apus/host.h>
#include <apus/options.h>
#include <apus/transport.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "servers/proxy/affinity.h"

namespace apus {

enum class Sorting : std::uint8_t { kShuffle, kTiming, kAffinity };

/// "6" or "2 * replicas".
struct NodeCount {
  std::int64_t number = 2;
  bool per_replica = true;
  [[nodiscard]] std::int64_t of(std::size_t replicas) const {
    return per_replica ? number * static_cast<std::int64_t>(replicas) : number;
  }
};

/// What a policy may have of its own.
struct PolicyConf {
  Sorting sorting = Sorting::kShuffle;
  Affinity read_affinity;
  Affinity write_affinity;
  NodeCount write_affinity_node_count;
  std::optional<std::int64_t> write_affinity_handoff_delete_count;  ///< nothing = auto
  std::int64_t rebalance_missing_suppression_count = 1;
  bool concurrent_gets = false;
  std::chrono::milliseconds concurrency_timeout{500};
};

struct ProxyConf {
  Deadlines deadlines;              ///< conn_timeout, node_timeout
  Deadlines recoverable_deadlines;  ///< for object reads that another node can go on with
  std::chrono::milliseconds post_quorum_timeout{500};
  double error_suppression_interval = 60;
  std::int64_t error_suppression_limit = 10;
  double timing_expiry = 300;
  std::size_t client_chunk_size = 65536;
  NodeCount request_node_count;
  bool log_handoffs = true;
  std::string trans_id_suffix;

  std::chrono::seconds recheck_account{60};
  std::chrono::seconds recheck_container{60};
  std::chrono::seconds recheck_updating_shards{3600};
  std::chrono::seconds recheck_listing_shards{600};
  double updating_shards_skip_cache = 0;  ///< 0..1
  double listing_shards_skip_cache = 0;

  bool account_autocreate = false;
  bool allow_account_management = false;
  std::int64_t max_containers = 0;
  std::vector<std::string> max_containers_whitelist;
  std::vector<std::string> deny_host_headers;
  std::vector<std::string> owner_headers;
  std::int64_t expirer_divisor = 86400;
  std::string expirer_account;

  std::vector<std::string> cors_allow_origin;
  std::vector<std::string> cors_expose_headers;
  bool strict_cors = true;

  bool expose_info = true;
  std::string admin_key;
  std::vector<std::string> disallowed_sections;

  PolicyConf defaults;
  std::map<int, PolicyConf> policies;

  [[nodiscard]] const PolicyConf& policy(int index) const {
    const auto at = policies.find(index);
    return at == policies.end() ? defaults : at->second;
  }
};

/// Throws std::runtime_error with a text for the deployer.
ProxyConf read_proxy_conf(const Options& options, const SwiftConf& cluster, Logger& log);

}  // namespace apus
