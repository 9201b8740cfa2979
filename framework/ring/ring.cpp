#include <apus/digest.h>

#include <algorithm>
#include <charconv>
#include <compare>
#include <set>
#include <tuple>

#include "framework/ring/ring_file.h"

namespace apus {
namespace {

using Zone = std::pair<int, int>;
using HostKey = std::tuple<int, int, std::string>;

class LoadedRing final : public Ring {
 public:
  explicit LoadedRing(RingData data) : data_(std::move(data)) {
    std::vector<bool> assigned(data_.devices.size());
    for (const auto& row : data_.rows) {
      for (const std::uint16_t id : row) assigned[id] = true;
    }
    std::set<int> regions;
    std::set<Zone> zones;
    std::set<HostKey> hosts;
    for (std::size_t id = 0; id < assigned.size(); ++id) {
      if (!assigned[id]) continue;
      const RingDevice& device = *data_.devices[id];
      regions.insert(device.region);
      zones.insert({device.region, device.zone});
      hosts.insert({device.region, device.zone, device.ip});
      ++device_count_;
    }
    region_count_ = regions.size();
    zone_count_ = zones.size();
    host_count_ = hosts.size();
  }

  std::uint32_t partition_count() const override {
    return static_cast<std::uint32_t>(data_.rows.front().size());
  }
  int part_power() const override { return 32 - data_.part_shift; }
  std::optional<int> next_part_power() const override { return data_.next_part_power; }
  double replica_count() const override {
    return static_cast<double>(data_.rows.size() - 1) +
           static_cast<double>(data_.rows.back().size()) /
               static_cast<double>(data_.rows.front().size());
  }
  const std::vector<std::optional<RingDevice>>& devices() const override { return data_.devices; }

  std::uint32_t partition_of(std::string_view path_hash) const override {
    std::uint32_t first = 0;
    std::from_chars(path_hash.data(), path_hash.data() + std::min<std::size_t>(8, path_hash.size()),
                    first, 16);
    return static_cast<std::uint32_t>(std::uint64_t{first} >>
                                      static_cast<unsigned>(data_.part_shift));
  }

  std::vector<RingNode> primaries(std::uint32_t partition) const override {
    std::vector<RingNode> out;
    for (const auto& row : data_.rows) {
      if (partition >= row.size()) continue;
      const RingDevice* device = &*data_.devices[row[partition]];
      if (std::none_of(out.begin(), out.end(),
                       [&](const RingNode& n) { return n.device == device; })) {
        out.push_back({device, static_cast<int>(out.size()), -1});
      }
    }
    return out;
  }

  std::unique_ptr<HandoffWalk> handoffs(std::uint32_t partition) const override;

 private:
  friend class Walk;
  RingData data_;
  std::size_t region_count_ = 0;
  std::size_t zone_count_ = 0;
  std::size_t host_count_ = 0;
  std::size_t device_count_ = 0;
};

// Four passes over the partitions in Swift's order: first devices in unseen regions, then zones,
// then hosts, then any device.
class Walk final : public HandoffWalk {
 public:
  Walk(const LoadedRing& ring, std::uint32_t partition)
      : ring_(ring), used_(ring.data_.devices.size()) {
    for (const RingNode& node : ring.primaries(partition)) mark(*node.device);
    parts_ = ring.data_.rows.front().size();
    const std::string digest = md5_hex(std::to_string(partition));
    start_ = ring.partition_of(digest);
    step_ = std::max<std::size_t>(1, parts_ / 65536);
    restart();
  }

  std::optional<RingNode> next() override {
    while (pass_ < 4) {
      if (full()) {
        ++pass_;
        restart();
        continue;
      }
      if (const RingDevice* device = advance()) {
        mark(*device);
        return RingNode{device, -1, count_++};
      }
      ++pass_;
      restart();
    }
    return std::nullopt;
  }

 private:
  void restart() {
    part_ = start_;
    row_ = 0;
    wrapped_ = false;
  }

  // The next device of this pass, or null when the sequence of partitions is used up.
  const RingDevice* advance() {
    while (true) {
      if (!wrapped_ && part_ >= parts_) {
        wrapped_ = true;
        part_ = step_ - (parts_ - start_) % step_;
      }
      if (wrapped_ && part_ >= start_) return nullptr;
      while (row_ < ring_.data_.rows.size()) {
        const auto& row = ring_.data_.rows[row_++];
        if (part_ >= row.size() || used_[row[part_]]) continue;
        const RingDevice& device = *ring_.data_.devices[row[part_]];
        if (wanted(device)) return &device;
      }
      row_ = 0;
      part_ += step_;
    }
  }

  bool wanted(const RingDevice& device) const {
    if (pass_ == 0) return !regions_.contains(device.region);
    if (pass_ == 1) return !zones_.contains({device.region, device.zone});
    if (pass_ == 2) return !hosts_.contains({device.region, device.zone, device.ip});
    return true;
  }

  bool full() const {
    if (pass_ == 0) return regions_.size() >= ring_.region_count_;
    if (pass_ == 1) return zones_.size() >= ring_.zone_count_;
    if (pass_ == 2) return hosts_.size() >= ring_.host_count_;
    return used_count_ >= ring_.device_count_;
  }

  void mark(const RingDevice& device) {
    used_[static_cast<std::size_t>(device.id)] = true;
    ++used_count_;
    regions_.insert(device.region);
    zones_.insert({device.region, device.zone});
    hosts_.insert({device.region, device.zone, device.ip});
  }

  const LoadedRing& ring_;
  std::vector<bool> used_;
  std::size_t used_count_ = 0;
  std::set<int> regions_;
  std::set<Zone> zones_;
  std::set<HostKey> hosts_;
  std::size_t parts_ = 0;
  std::size_t start_ = 0;
  std::size_t step_ = 1;
  std::size_t part_ = 0;
  std::size_t row_ = 0;
  bool wrapped_ = false;
  int pass_ = 0;
  int count_ = 0;
};

std::unique_ptr<HandoffWalk> LoadedRing::handoffs(std::uint32_t partition) const {
  return std::make_unique<Walk>(*this, partition);
}

}  // namespace

std::shared_ptr<const Ring> make_ring(RingData data) {
  return std::make_shared<const LoadedRing>(std::move(data));
}

}  // namespace apus
