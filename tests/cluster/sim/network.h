// Who reaches whom in a simulated cluster.
#pragma once

#include <apus/app.h>
#include <apus/transport.h>

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "framework/transport/local_transport.h"

namespace apus::sim {

/// Links between places: nodes, and proxies behind them. A call over a cut link, or to a node that
/// is down, is a lost connection; so is one that its node did not survive. One thread.
class Network {
 public:
  using Find = std::function<const App*(std::size_t node, int port)>;

  /// `find` gives the server of a node, null while it is down; it is asked again after the call.
  Network(std::size_t places, std::size_t nodes, const Find& find);
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  ~Network();

  /// The transport of a place.
  [[nodiscard]] LocalTransport& from(std::size_t place) { return *transports_[place]; }
  void cut(std::size_t place, std::size_t node) { cut_.emplace(place, node); }
  void heal() { cut_.clear(); }
  [[nodiscard]] bool is_cut(std::size_t place, std::size_t node) const {
    return cut_.contains({place, node});
  }

 private:
  class Door;

  Find find_;
  std::set<std::pair<std::size_t, std::size_t>> cut_;
  std::vector<std::unique_ptr<Door>> doors_;
  std::vector<std::unique_ptr<LocalTransport>> transports_;
};

}  // namespace apus::sim
