// Makes rings: devices come and go, partitions follow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/ring/builder_state.h"
#include "framework/ring/rebalance.h"
#include "framework/ring/ring_file.h"

namespace apus {

/// A ring in the making: Swift's builder. One thread. Every change takes effect at the next
/// rebalance. What does not fit throws BuilderError and changes nothing.
class APUS_API RingBuilder {
 public:
  /// 0 <= part_power <= 32, replicas >= 1, min_part_hours >= 0.
  RingBuilder(int part_power, double replicas, int min_part_hours);
  /// Goes on where a builder file ended.
  explicit RingBuilder(BuilderState state);

  [[nodiscard]] const BuilderState& state() const { return state_; }
  [[nodiscard]] bool ever_rebalanced() const { return !state_.rows.empty(); }

  /// Takes the first free id, whatever id the device has, and gives it. Its address (ip, port,
  /// device) must be new; an empty replication address becomes the other one.
  int add(RingDevice device);
  /// `id`, here and below, must be a device's. Those on their way out keep what they have.
  void set_weight(int id, double weight);
  void set_region(int id, int region);
  void set_zone(int id, int zone);
  /// Takes ip, port, both of replication, device and meta. Moves nothing, counts as no change.
  void set_info(int id, const RingDevice& changed);
  /// Leaves at the next rebalance, whatever min_part_hours says.
  void remove(int id);
  void set_replicas(double replicas);
  void set_overload(double overload);
  void set_min_part_hours(int hours);
  void set_id(std::string id) { state_.id = std::move(id); }

  /// Doubling the partitions in four steps, as Swift's relinker needs them. False when it is not
  /// the turn of this step.
  bool prepare_increase_partition_power();
  bool increase_partition_power(std::int64_t now);
  bool cancel_increase_partition_power();
  bool finish_increase_partition_power();

  /// Equal seeds and equal builders give equal rings; none: any. `now` in seconds.
  RebalanceResult rebalance(const std::optional<std::string>& seed, std::int64_t now);
  RebalanceResult rebalance(const std::string& seed);
  void measure_dispersion();
  void pretend_min_part_hours_passed();
  /// Seconds until partitions may move again.
  [[nodiscard]] std::int64_t min_part_seconds_left(std::int64_t now) const;

  /// Devices as far from their weight's share as the worst: in percent; kMaxBalance for one without
  /// weight that has partitions. Throws BuilderError without any weight.
  [[nodiscard]] double balance() const;
  /// The same by device id, with its sign.
  [[nodiscard]] std::vector<double> balance_by_device() const;
  [[nodiscard]] double required_overload() const;
  /// Throws BuilderError unless every partition has its replicas on different devices.
  void validate() const;

  [[nodiscard]] RingData ring() const;
  void save_ring(const std::string& path) const { write_ring(ring(), path); }

 private:
  BuilderDevice& changeable(int id, const char* what);

  BuilderState state_;
};

}  // namespace apus
