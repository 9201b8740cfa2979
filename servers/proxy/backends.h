// The proxy's way to account, container and object servers: nodes, requests, and which answer
// counts.
#pragma once

#include <apus/host.h>
#include <apus/message.h>
#include <apus/ring.h>
#include <apus/transport.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace apus {

/// What of a ring answers one name.
struct Place {
  std::shared_ptr<const Ring> ring;
  std::uint32_t partition = 0;
  std::string name;  ///< "/account[/container[/object]]"
};

/// Swift's quorum of n writes.
constexpr std::size_t quorum_size(std::size_t n) { return (n + 1) / 2; }

class Backends {
 public:
  Backends(Host& host, Logger& log, Deadlines deadlines);

  [[nodiscard]] Place account(std::string_view account) const;
  [[nodiscard]] Place container(std::string_view account, std::string_view container) const;
  [[nodiscard]] Place object(int policy, std::string_view account, std::string_view container,
                             std::string_view object) const;

  /// A request for one node of a place, built from typed fields alone: X-Timestamp, X-Trans-Id,
  /// User-Agent.
  [[nodiscard]] Request request(const Request& client, const std::string& method,
                                const Place& place, const RingDevice& device) const;

  /// Adds what one of several requests has of its own; `index` counts the primaries.
  using Dress = std::function<void(Request&, std::size_t index)>;

  /// Asks the nodes one after the other until one answers well; else the best of what came.
  Response read(const Request& client, const std::string& method, const Place& place,
                const Dress& dress, const Query& query = {}) const;
  /// Sends to all primaries and judges by quorum. `overrides` maps a status to another for the
  /// count.
  Response write(const Request& client, const std::string& method, const Place& place,
                 const Dress& dress) const;
  /// As `write`, with the client's body for every copy.
  Response upload(Request& client, const Place& place, const Dress& dress) const;

 private:
  Response judge(const Request& client, std::vector<Outcome> outcomes, std::size_t wanted) const;
  void report(const Request& client, const RingDevice& device, const Outcome& outcome) const;

  Host& host_;
  Logger& log_;
  Deadlines deadlines_;
  std::string user_agent_;
};

}  // namespace apus
