// Takes away what a deleted account holds: objects, then their containers.
#pragma once

#include <apus/crew.h>
#include <apus/host.h>
#include <apus/ring.h>
#include <apus/transport.h>

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "plugins/account-reaper/reaped.h"

namespace apus {

/// Thread-safe.
class Reaping {
 public:
  struct Limits {
    std::size_t concurrency = 25;  ///< requests' objects and containers at once, in all
    Deadlines deadlines;
  };
  Reaping(Host& host, Logger& log, const Limits& limits);

  /// Of an account that lies in `partition` of the account ring.
  struct Account {
    std::string name;
    std::uint32_t partition = 0;
    std::vector<RingNode> nodes;  ///< its primaries
  };
  /// Deletes all objects of these containers, and the containers themselves. What fails is counted
  /// and left to another pass.
  void reap(const Account& account, const std::vector<std::string>& containers, Reaped& reaped,
            const std::stop_token& stop) const;

 private:
  struct Container {
    std::string path;  ///< "/account/container"
    std::uint32_t partition = 0;
    std::vector<RingNode> nodes;
    std::string policy = "0";
  };
  void reap_container(const Account& account, const std::string& name, Reaped& reaped,
                      const std::stop_token& stop) const;
  [[nodiscard]] std::vector<std::string> names_after(Container& container,
                                                     const std::string& marker,
                                                     Reaped& reaped) const;
  void reap_object(const Container& container, const std::string& object, Reaped& reaped) const;
  void delete_container(const Account& account, const Container& container, Reaped& reaped) const;
  [[nodiscard]] std::vector<Outcome> send(std::vector<Call> calls) const;

  Host& host_;
  Logger& log_;
  Deadlines deadlines_;
  std::size_t width_;  ///< containers at once, and objects of each
  Crew crew_;
};

}  // namespace apus
