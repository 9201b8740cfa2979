#include "tests/cluster/sim/network.h"

#include <stdexcept>

#include "tests/cluster/sim/ports.h"

namespace apus::sim {

class Network::Door final : public App {
 public:
  Door(const Network& network, std::size_t place, std::size_t node, int port)
      : network_(network), place_(place), node_(node), port_(port) {}
  Response operator()(Request& request) const override {
    const App* server = network_.find_(node_, port_);
    if (server == nullptr || network_.is_cut(place_, node_))
      throw std::runtime_error("unreachable");
    Response response = (*server)(request);
    if (network_.find_(node_, port_) == nullptr) throw std::runtime_error("went down");
    return response;
  }

 private:
  const Network& network_;
  std::size_t place_;
  std::size_t node_;
  int port_;
};

Network::Network(std::size_t places, std::size_t nodes, const Find& find) : find_(find) {
  for (std::size_t place = 0; place < places; ++place) {
    transports_.push_back(std::make_unique<LocalTransport>(nullptr));
    for (std::size_t node = 0; node < nodes; ++node) {
      for (const int port : {kObjectPort, kContainerPort, kAccountPort}) {
        doors_.push_back(std::make_unique<Door>(*this, place, node, port));
        transports_.back()->add({address_of(node), port}, *doors_.back());
      }
    }
  }
}
Network::~Network() = default;

}  // namespace apus::sim
