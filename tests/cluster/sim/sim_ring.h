// Where things live in a simulated cluster: an order of all devices for each partition.
#pragma once

#include <apus/host.h>
#include <apus/ring.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace apus::sim {

/// Device "dI" at 10.0.0.I, I from 0; the first three of a partition's order are its primaries, the
/// others its handoffs. Immutable.
class SimRing final : public Ring {
 public:
  static constexpr int kPartPower = 2;
  static constexpr std::size_t kReplicas = 3;

  SimRing(std::size_t nodes, int port, Entropy& chance);
  SimRing(const SimRing& other) : devices_(other.devices_), orders_(other.orders_) {}
  SimRing& operator=(const SimRing&) = delete;
  ~SimRing() override = default;
  /// A ring in which one primary of every partition moved: what one rebalance does.
  [[nodiscard]] std::shared_ptr<const SimRing> rebalanced(Entropy& chance) const;

  [[nodiscard]] std::uint32_t partition_count() const override { return 1U << kPartPower; }
  [[nodiscard]] int part_power() const override { return kPartPower; }
  [[nodiscard]] std::optional<int> next_part_power() const override { return std::nullopt; }
  [[nodiscard]] double replica_count() const override { return kReplicas; }
  [[nodiscard]] const std::vector<std::optional<RingDevice>>& devices() const override {
    return devices_;
  }
  [[nodiscard]] std::uint32_t partition_of(std::string_view path_hash) const override;
  [[nodiscard]] std::vector<RingNode> primaries(std::uint32_t partition) const override;
  [[nodiscard]] std::unique_ptr<HandoffWalk> handoffs(std::uint32_t partition) const override;
  [[nodiscard]] bool is_primary(std::uint32_t partition, std::size_t node) const;

 private:
  class Walk;
  using Order = std::vector<std::size_t>;

  std::vector<std::optional<RingDevice>> devices_;
  std::array<Order, 1U << kPartPower> orders_;
};

/// The rings that every node sees; the object ring may be replaced.
class SimRings final : public RingDirectory {
 public:
  SimRings(std::size_t nodes, Entropy& chance);
  std::shared_ptr<const Ring> account() override { return account_; }
  std::shared_ptr<const Ring> container() override { return container_; }
  std::shared_ptr<const Ring> object(int policy_index) override;
  [[nodiscard]] const SimRing& objects() const { return *object_; }
  [[nodiscard]] const SimRing& containers() const { return *container_; }
  void rebalance(Entropy& chance) { object_ = object_->rebalanced(chance); }

 private:
  std::shared_ptr<const SimRing> account_;
  std::shared_ptr<const SimRing> container_;
  std::shared_ptr<const SimRing> object_;
};

}  // namespace apus::sim
