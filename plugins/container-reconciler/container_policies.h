// Which policy a container really has, asked of its own servers.
#pragma once

#include <apus/host.h>
#include <apus/transport.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace apus {

/// For a container server to be reached, and to answer.
inline constexpr Deadlines kReconcilerPatience{std::chrono::seconds(5), std::chrono::seconds(15)};

/// Thread-safe. What it was told is kept for half a minute.
class ContainerPolicies {
 public:
  explicit ContainerPolicies(Host& host) : host_(host) {}

  /// Asks all primaries at once, at their replication addresses, and decides between them as
  /// container replicators do. Nothing when fewer than a majority answered. A server that never had
  /// the container has no say unless none has it: then the policy is 0, as Swift takes it. Throws
  /// std::runtime_error when there is no ring.
  std::optional<std::int64_t> policy_of(const std::string& account, const std::string& container);

 private:
  struct Known {
    std::optional<std::int64_t> policy;
    Clock::Steady until;
  };
  [[nodiscard]] std::optional<std::int64_t> ask(const std::string& account,
                                                const std::string& container) const;

  Host& host_;
  std::mutex mutex_;
  std::map<std::string, Known, std::less<>> known_;  ///< by "account/container"
};

}  // namespace apus
