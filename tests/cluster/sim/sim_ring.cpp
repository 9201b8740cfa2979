#include "tests/cluster/sim/sim_ring.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "tests/cluster/sim/ports.h"

namespace apus::sim {

class SimRing::Walk final : public HandoffWalk {
 public:
  Walk(const SimRing& ring, std::uint32_t partition) : ring_(ring), partition_(partition) {}
  std::optional<RingNode> next() override {
    const Order& order = ring_.orders_[partition_];
    if (at_ >= order.size()) return std::nullopt;
    const RingDevice& device = *ring_.devices_[order[at_]];
    return RingNode{&device, -1, static_cast<int>(at_++ - kReplicas)};
  }

 private:
  const SimRing& ring_;
  std::uint32_t partition_;
  std::size_t at_ = kReplicas;
};

SimRing::SimRing(std::size_t nodes, int port, Entropy& chance) {
  for (std::size_t i = 0; i < nodes; ++i) {
    RingDevice device;
    device.id = static_cast<int>(i);
    device.zone = static_cast<int>(i);
    device.ip = device.replication_ip = address_of(i);
    device.port = device.replication_port = port;
    device.device = "d" + std::to_string(i);
    device.weight = 100;
    devices_.emplace_back(std::move(device));
  }
  for (Order& order : orders_) {
    order.resize(nodes);
    std::iota(order.begin(), order.end(), std::size_t{0});
    for (std::size_t i = nodes; i > 1; --i) std::swap(order[i - 1], order[chance.below(i)]);
  }
}

std::shared_ptr<const SimRing> SimRing::rebalanced(Entropy& chance) const {
  auto out = std::make_shared<SimRing>(*this);
  for (Order& order : out->orders_) {
    const std::size_t gone = chance.below(kReplicas);
    const std::size_t come = kReplicas + chance.below(order.size() - kReplicas);
    std::swap(order[gone], order[come]);
  }
  return out;
}

std::uint32_t SimRing::partition_of(std::string_view path_hash) const {
  const char first = path_hash.front();
  const int digit = first <= '9' ? first - '0' : first - 'a' + 10;
  return static_cast<std::uint32_t>(digit) >> (4 - kPartPower);
}

std::vector<RingNode> SimRing::primaries(std::uint32_t partition) const {
  std::vector<RingNode> out;
  for (std::size_t i = 0; i < kReplicas; ++i)
    out.push_back({&*devices_[orders_[partition][i]], static_cast<int>(i), -1});
  return out;
}

std::unique_ptr<HandoffWalk> SimRing::handoffs(std::uint32_t partition) const {
  return std::make_unique<Walk>(*this, partition);
}

bool SimRing::is_primary(std::uint32_t partition, std::size_t node) const {
  const Order& order = orders_[partition];
  const auto end = order.begin() + kReplicas;
  return std::find(order.begin(), end, node) != end;
}

SimRings::SimRings(std::size_t nodes, Entropy& chance)
    : account_(std::make_shared<SimRing>(nodes, kAccountPort, chance)),
      container_(std::make_shared<SimRing>(nodes, kContainerPort, chance)),
      object_(std::make_shared<SimRing>(nodes, kObjectPort, chance)) {}

std::shared_ptr<const Ring> SimRings::object(int /*policy_index*/) { return object_; }

}  // namespace apus::sim
