#include "framework/ring/builder.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <tuple>

namespace apus {
namespace {

// How many replicas of one partition a tier holds already: the fewer, the better a place for the
// next.
struct Crowd {
  std::map<int, int> regions;
  std::map<std::tuple<int, int>, int> zones;
  std::map<std::tuple<int, int, std::string>, int> hosts;
  std::set<int> devices;

  std::tuple<int, int, int> at(const RingDevice& d) {
    return {regions[d.region], zones[{d.region, d.zone}], hosts[{d.region, d.zone, d.ip}]};
  }
  void add(const RingDevice& d) {
    ++regions[d.region];
    ++zones[{d.region, d.zone}];
    ++hosts[{d.region, d.zone, d.ip}];
    devices.insert(d.id);
  }
};

}  // namespace

RingBuilder::RingBuilder(int part_power, double replicas, int /*min_part_hours*/)
    : part_power_(part_power), replicas_(replicas) {
  if (part_power < 0 || part_power > 32) throw std::invalid_argument("part power: from 0 to 32");
  if (!(replicas >= 1)) throw std::invalid_argument("replicas: at least 1");
  data_.part_shift = 32 - part_power;
}

int RingBuilder::add(RingDevice device) {
  for (const auto& known : data_.devices) {
    if (known && known->ip == device.ip && known->port == device.port &&
        known->device == device.device) {
      throw std::invalid_argument("device " + device.device + " at " + device.ip +
                                  " is there already");
    }
  }
  device.id = static_cast<int>(data_.devices.size());
  if (device.replication_ip.empty()) device.replication_ip = device.ip;
  if (device.replication_port == 0) device.replication_port = device.port;
  data_.devices.emplace_back(std::move(device));
  ++data_.version;
  return data_.devices.back()->id;
}

void RingBuilder::rebalance(const std::string& seed) {
  const std::size_t parts = std::size_t{1} << static_cast<unsigned>(part_power_);
  double weight = 0;
  std::size_t usable = 0;
  for (const auto& device : data_.devices) {
    weight += device->weight;
    usable += device->weight > 0 ? 1 : 0;
  }
  if (static_cast<double>(usable) < std::ceil(replicas_)) {
    throw std::invalid_argument("a ring of " + std::to_string(replicas_) +
                                " replicas needs as many devices with weight");
  }
  std::vector<double> wanted;
  for (const auto& device : data_.devices) {
    wanted.push_back(device->weight / weight * replicas_ * static_cast<double>(parts));
  }
  std::seed_seq sequence(seed.begin(), seed.end());
  std::mt19937 chance(sequence);
  std::vector<std::size_t> order(parts);
  for (std::size_t i = 0; i < parts; ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), chance);

  data_.rows.clear();
  for (double left = replicas_; left > 1e-9; left -= 1) {
    data_.rows.emplace_back(
        static_cast<std::size_t>(std::min(left, 1.0) * static_cast<double>(parts)));
  }
  for (const std::size_t part : order) {
    Crowd crowd;
    for (auto& row : data_.rows) {
      if (part >= row.size()) continue;
      const RingDevice* best = nullptr;
      for (const auto& device : data_.devices) {
        if (device->weight <= 0 || crowd.devices.contains(device->id)) continue;
        if (best == nullptr) {
          best = &*device;
          continue;
        }
        const auto mine = crowd.at(*device);
        const auto its = crowd.at(*best);
        if (mine < its || (mine == its && wanted[static_cast<std::size_t>(device->id)] >
                                              wanted[static_cast<std::size_t>(best->id)])) {
          best = &*device;
        }
      }
      row[part] = static_cast<std::uint16_t>(best->id);
      wanted[static_cast<std::size_t>(best->id)] -= 1;
      crowd.add(*best);
    }
  }
  ++data_.version;
}

}  // namespace apus
