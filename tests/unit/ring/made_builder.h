// Builders for the tests of rings.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "framework/ring/builder.h"

namespace apus {

inline constexpr std::int64_t kNow = 1'800'000'000;  // seconds

struct Shape {
  int regions = 1;
  int zones = 3;    ///< in a region
  int servers = 2;  ///< in a zone
  int disks = 2;    ///< in a server
};

inline RingDevice made_device(int region, int zone, int server, int disk, double weight) {
  RingDevice out;
  out.region = region;
  out.zone = zone;
  out.ip =
      "10." + std::to_string(region) + "." + std::to_string(zone) + "." + std::to_string(server);
  out.port = 6200;
  out.device = "d" + std::to_string(disk);
  out.weight = weight;
  return out;
}

inline RingBuilder made_builder(int part_power, double replicas, const Shape& shape,
                                int min_part_hours = 1) {
  RingBuilder out(part_power, replicas, min_part_hours);
  for (int region = 0; region < shape.regions; ++region) {
    for (int zone = 0; zone < shape.zones; ++zone) {
      for (int server = 0; server < shape.servers; ++server) {
        for (int disk = 0; disk < shape.disks; ++disk)
          out.add(made_device(region, zone, server, disk, 100));
      }
    }
  }
  return out;
}

/// Of each partition, its devices' ids by row.
inline std::vector<std::vector<int>> assignments(const BuilderState& state) {
  std::vector<std::vector<int>> out(state.parts());
  for (const auto& row : state.rows) {
    for (std::size_t part = 0; part < row.size(); ++part) out[part].push_back(row[part]);
  }
  return out;
}

}  // namespace apus
