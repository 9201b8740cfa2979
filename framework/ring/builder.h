// Assigns partitions to devices.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/ring/ring_file.h"

namespace apus {

/// A new ring in the making. One thread. Replicas of a partition are spread over regions, zones,
/// hosts and devices as evenly as weights allow.
class APUS_API RingBuilder {
 public:
  /// 0 <= part_power <= 32, replicas >= 1.
  RingBuilder(int part_power, double replicas, int min_part_hours);

  /// Takes the next id. Throws std::invalid_argument when ip, port and name are there already.
  int add(RingDevice device);
  /// Assigns every partition. Throws std::invalid_argument with fewer weighted devices than
  /// replicas.
  void rebalance(const std::string& seed);
  [[nodiscard]] const RingData& data() const { return data_; }
  void save_ring(const std::string& path) const { write_ring(data_, path); }

 private:
  int part_power_;
  double replicas_;
  RingData data_;
};

}  // namespace apus
