#include "framework/ring/builder.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <random>

#include "framework/ring/dispersion.h"
#include "framework/ring/replica_plan.h"

namespace apus {

BuilderError::~BuilderError() = default;

bool BuilderState::is_removed(int device) const {
  return std::find(removed.begin(), removed.end(), device) != removed.end();
}

RingBuilder::RingBuilder(int part_power, double replicas, int min_part_hours) {
  if (part_power < 0 || part_power > 32) throw BuilderError("part power: expected 0 to 32");
  set_replicas(replicas);
  set_min_part_hours(min_part_hours);
  state_.part_power = part_power;
  state_.last_part_moves.resize(state_.parts());
  state_.devices_changed = false;
}

RingBuilder::RingBuilder(BuilderState state) : state_(std::move(state)) {}

int RingBuilder::add(RingDevice device) {
  for (const auto& known : state_.devices) {
    if (known && known->ip == device.ip && known->port == device.port &&
        known->device == device.device) {
      throw BuilderError("Device " + std::to_string(known->id) + " already uses " + known->ip +
                         ":" + std::to_string(known->port) + "/" + known->device + ".");
    }
  }
  const auto free = std::find(state_.devices.begin(), state_.devices.end(), std::nullopt);
  const auto id = free - state_.devices.begin();
  if (id >= kNoDevice) throw BuilderError("a ring has at most 65535 devices");
  if (free == state_.devices.end()) state_.devices.emplace_back();
  device.id = static_cast<int>(id);
  if (device.replication_ip.empty()) device.replication_ip = device.ip;
  if (device.replication_port == 0) device.replication_port = device.port;
  state_.devices[static_cast<std::size_t>(id)] = BuilderDevice{std::move(device)};
  state_.devices_changed = true;
  ++state_.version;
  return static_cast<int>(id);
}

BuilderDevice& RingBuilder::changeable(int id, const char* what) {
  if (state_.is_removed(id)) {
    throw BuilderError(std::string("the ") + what + " of device " + std::to_string(id) +
                       " cannot be set: it is marked for removal");
  }
  state_.devices_changed = true;
  ++state_.version;
  return *state_.devices[static_cast<std::size_t>(id)];
}

void RingBuilder::set_weight(int id, double weight) { changeable(id, "weight").weight = weight; }
void RingBuilder::set_region(int id, int region) { changeable(id, "region").region = region; }
void RingBuilder::set_zone(int id, int zone) { changeable(id, "zone").zone = zone; }

void RingBuilder::set_info(int id, const RingDevice& changed) {
  for (const auto& known : state_.devices) {
    if (known && known->id != id && known->ip == changed.ip && known->port == changed.port &&
        known->device == changed.device) {
      throw BuilderError("Device " + std::to_string(known->id) + " already uses " + known->ip +
                         ":" + std::to_string(known->port) + "/" + known->device + ".");
    }
  }
  BuilderDevice& device = *state_.devices[static_cast<std::size_t>(id)];
  device.ip = changed.ip;
  device.port = changed.port;
  device.replication_ip = changed.replication_ip;
  device.replication_port = changed.replication_port;
  device.device = changed.device;
  device.meta = changed.meta;
}

void RingBuilder::remove(int id) {
  state_.devices[static_cast<std::size_t>(id)]->weight = 0;
  if (!state_.is_removed(id)) state_.removed.push_back(id);
  state_.devices_changed = true;
  ++state_.version;
}

void RingBuilder::set_replicas(double replicas) {
  // More than a partition's number of replicas in a node list would be of use to nobody.
  if (!(replicas >= 1 && replicas <= 1000)) throw BuilderError("replicas: expected 1 to 1000");
  const auto slots = [&](double count) {
    return static_cast<std::int64_t>(static_cast<double>(state_.parts()) * count);
  };
  if (slots(state_.replicas) != slots(replicas)) state_.devices_changed = true;
  state_.replicas = replicas;
}

void RingBuilder::set_overload(double overload) {
  if (!(overload >= 0)) throw BuilderError("overload: expected 0 or more");
  state_.overload = overload;
}

void RingBuilder::set_min_part_hours(int hours) {
  if (hours < 0) throw BuilderError("min_part_hours: expected 0 or more");
  state_.min_part_hours = hours;
}

bool RingBuilder::prepare_increase_partition_power() {
  if (state_.next_part_power.value_or(0) != 0 || state_.part_power >= 32) return false;
  state_.next_part_power = state_.part_power + 1;
  ++state_.version;
  return true;
}

bool RingBuilder::increase_partition_power(std::int64_t now) {
  if (state_.next_part_power != state_.part_power + 1) return false;
  const auto doubled = [](const auto& values) {
    std::decay_t<decltype(values)> out;
    out.reserve(values.size() * 2);
    for (const auto value : values) out.insert(out.end(), 2, value);
    return out;
  };
  for (auto& row : state_.rows) row = doubled(row);
  state_.last_part_moves = doubled(state_.last_part_moves);
  for (auto& device : state_.devices) {
    if (device) device->parts *= 2;
  }
  state_.part_power = *state_.next_part_power;
  ++state_.version;
  age_part_moves(state_, now);
  return true;
}

bool RingBuilder::cancel_increase_partition_power() {
  if (state_.next_part_power != state_.part_power + 1) return false;
  state_.next_part_power = state_.part_power;
  ++state_.version;
  return true;
}

bool RingBuilder::finish_increase_partition_power() {
  if (state_.next_part_power != state_.part_power) return false;
  state_.next_part_power.reset();
  ++state_.version;
  return true;
}

RebalanceResult RingBuilder::rebalance(const std::optional<std::string>& seed, std::int64_t now) {
  std::mt19937_64 chance;
  if (seed) {
    std::seed_seq sequence(seed->begin(), seed->end());
    chance.seed(sequence);
  } else {
    std::random_device device;
    std::seed_seq sequence{device(), device(), device(), device()};
    chance.seed(sequence);
  }
  RebalanceResult out = apus::rebalance(state_, chance, now);
  out.balance = balance();
  return out;
}

RebalanceResult RingBuilder::rebalance(const std::string& seed) {
  return rebalance(std::optional<std::string>(seed), std::time(nullptr));
}

void RingBuilder::measure_dispersion() {
  apus::measure_dispersion(state_);
  ++state_.version;
}

void RingBuilder::pretend_min_part_hours_passed() {
  state_.last_part_moves_epoch = 0;
  state_.last_part_moves.assign(state_.parts(), 255);
}

std::int64_t RingBuilder::min_part_seconds_left(std::int64_t now) const {
  return std::max<std::int64_t>(
      std::int64_t{state_.min_part_hours} * 3600 - (now - state_.last_part_moves_epoch), 0);
}

std::vector<double> RingBuilder::balance_by_device() const {
  double weight = 0;
  for (const auto& device : state_.devices) weight += device ? device->weight : 0;
  if (weight <= 0)
    throw BuilderError("There are no devices in this ring, or all devices have been deleted");
  const double per_weight = static_cast<double>(state_.parts()) * state_.replicas / weight;
  std::vector<double> out(state_.devices.size());
  for (const auto& device : state_.devices) {
    if (!device) continue;
    const auto parts = static_cast<double>(device->parts);
    double& balance = out[static_cast<std::size_t>(device->id)];
    if (device->weight > 0) {
      balance = 100.0 * parts / (device->weight * per_weight) - 100.0;
    } else {
      balance = parts > 0 ? kMaxBalance : 0;
    }
  }
  return out;
}

double RingBuilder::balance() const {
  double out = 0;
  for (const double one : balance_by_device()) out = std::max(out, std::abs(one));
  return out;
}

double RingBuilder::required_overload() const {
  return apus::required_overload(TierTree(state_.devices), state_.replicas);
}

void RingBuilder::validate() const {
  if (state_.rows.empty()) throw BuilderError("no partition is assigned yet: rebalance first");
  std::vector<std::int64_t> parts(state_.devices.size());
  for (std::size_t row = 0; row < state_.rows.size(); ++row) {
    const auto& ids = state_.rows[row];
    if (ids.size() != state_.parts() && row + 1 < state_.rows.size())
      throw BuilderError("replica " + std::to_string(row) + " is short, but not the last");
    for (std::size_t part = 0; part < ids.size(); ++part) {
      if (ids[part] >= parts.size() || !state_.devices[ids[part]]) {
        throw BuilderError("partition " + std::to_string(part) + ", replica " +
                           std::to_string(row) + " is on no device");
      }
      for (std::size_t other = 0; other < row; ++other) {
        if (state_.rows[other][part] == ids[part]) {
          throw BuilderError("partition " + std::to_string(part) + " is twice on device " +
                             std::to_string(ids[part]));
        }
      }
      ++parts[ids[part]];
    }
  }
  for (const auto& device : state_.devices) {
    if (device && device->parts != parts[static_cast<std::size_t>(device->id)]) {
      throw BuilderError("device " + std::to_string(device->id) + " has " +
                         std::to_string(parts[static_cast<std::size_t>(device->id)]) +
                         " partitions, but " + std::to_string(device->parts) + " are on record");
    }
  }
}

RingData RingBuilder::ring() const {
  RingData out;
  out.part_shift = 32 - state_.part_power;
  out.version = state_.version;
  out.next_part_power = state_.next_part_power;
  for (const auto& device : state_.devices) {
    out.devices.emplace_back();
    if (device) out.devices.back() = static_cast<const RingDevice&>(*device);
  }
  out.rows = state_.rows;
  return out;
}

}  // namespace apus
