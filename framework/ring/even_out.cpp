// Chains of moves from devices that have too many partitions to devices that have too few.
#include <algorithm>

#include "framework/ring/placement.h"

namespace apus {
namespace {

struct Slot {
  std::uint32_t part;
  std::uint32_t row;
};

class Chains {
 public:
  explicit Chains(PlacementTable& table)
      : table_(table), slots_(table.state.devices.size()), from_(slots_.size()) {
    std::size_t free = 0;
    for (std::uint32_t row = 0; row < table.state.rows.size(); ++row) {
      const auto& ids = table.state.rows[row];
      for (std::uint32_t part = 0; part < ids.size(); ++part) {
        if (!table.placed[row][part] &&
            !(table.can_move(part) && table.device(ids[part]).parts_wanted < 0)) {
          continue;
        }
        slots_[ids[part]].push_back({part, row});
        ++free;
      }
    }
    // Work is bounded by what there is, not by how odd the weights are.
    looks_left_ = 40 * free + 1'000'000;
  }

  void run() {
    move_straight();
    while (const auto end = search()) apply(*end);
  }

 private:
  struct Step {
    bool seen = false;
    std::uint16_t device = 0;  ///< where the slot comes from
    Slot slot{};
    bool first = false;  ///< a device with too many: a chain starts here
  };

  // Chains of one: what can go where it is wanted goes to where it is wanted most.
  void move_straight() {
    std::vector<std::int64_t> wanted(table_.tree.size());
    for (const auto& device : table_.state.devices) {
      if (!device || device->parts_wanted <= 0 || device->weight <= 0) continue;
      for (const std::uint32_t tier : table_.tree.path(device->id))
        wanted[tier] += device->parts_wanted;
    }
    for (std::size_t id = 0; id < slots_.size(); ++id) {
      const auto device = static_cast<std::uint16_t>(id);
      for (std::size_t i = 0; i < slots_[id].size(); ++i) {
        if (table_.device(device).parts_wanted >= 0) break;
        const Slot slot = slots_[id][i];
        if (!usable(device, slot)) continue;
        const auto replicas = table_.replicas_of(slot.part);
        count(replicas, slot.row, 1);
        const auto to = most_wanted(wanted, 0);
        count(replicas, slot.row, -1);
        if (!to) continue;
        move(slot, device, *to);
        for (const std::uint32_t tier : table_.tree.path(*to)) --wanted[tier];
      }
    }
  }

  // Below that tier.
  std::optional<std::uint16_t> most_wanted(const std::vector<std::int64_t>& wanted,
                                           std::uint32_t tier) const {
    const auto& tiers = table_.tree.tiers();
    if (tiers[tier].depth == kDeviceDepth) return static_cast<std::uint16_t>(tiers[tier].device);
    // The best child is tried first; if it turns out to have no place, any other.
    std::uint32_t best = 0;
    const auto fits = [&](std::uint32_t c) {
      return wanted[c] > 0 && table_.here[c] < table_.plan[c].max;
    };
    const std::uint32_t end = tiers[tier].first_child + tiers[tier].children;
    for (std::uint32_t c = tiers[tier].first_child; c < end; ++c) {
      if (fits(c) && (best == 0 || wanted[c] > wanted[best])) best = c;
    }
    if (best == 0) return std::nullopt;
    if (const auto found = most_wanted(wanted, best)) return found;
    for (std::uint32_t c = tiers[tier].first_child; c < end; ++c) {
      if (c == best || !fits(c)) continue;
      if (const auto found = most_wanted(wanted, c)) return found;
    }
    return std::nullopt;
  }

  void move(const Slot& slot, std::uint16_t from, std::uint16_t to) {
    table_.state.rows[slot.row][slot.part] = to;
    table_.placed[slot.row][slot.part] = true;
    table_.mark_moved(slot.part);
    slots_[to].push_back(slot);
    ++table_.device(from).parts_wanted;
    --table_.device(from).parts;
    --table_.device(to).parts_wanted;
    ++table_.device(to).parts;
  }

  // The device with too few at the end of the shortest chain.
  std::optional<std::uint16_t> search() {
    std::vector<std::uint16_t> queue;
    for (std::size_t id = 0; id < from_.size(); ++id) {
      const auto& device = table_.state.devices[id];
      const bool over = device && device->parts_wanted < 0;
      from_[id] = {over || !device || device->weight <= 0, 0, {}, over};
      if (over) queue.push_back(static_cast<std::uint16_t>(id));
    }
    for (std::size_t at = 0; at < queue.size(); ++at) {
      const std::uint16_t device = queue[at];
      for (std::size_t i = 0; i < slots_[device].size(); ++i) {
        if (looks_left_ == 0) return std::nullopt;
        --looks_left_;
        const Slot slot = slots_[device][i];
        if (!usable(device, slot)) {
          slots_[device][i--] = slots_[device].back();
          slots_[device].pop_back();
          continue;
        }
        if (in_chain(device, slot.part)) continue;
        if (const auto end = reach(device, slot, queue)) return end;
      }
    }
    return std::nullopt;
  }

  bool usable(std::uint16_t device, const Slot& slot) const {
    return table_.state.rows[slot.row][slot.part] == device &&
           (table_.placed[slot.row][slot.part] || table_.can_move(slot.part));
  }
  bool in_chain(std::uint16_t device, std::uint32_t part) const {
    while (!from_[device].first) {
      if (from_[device].slot.part == part) return true;
      device = from_[device].device;
    }
    return false;
  }

  // Devices, not seen yet, that have a place for the slot.
  std::optional<std::uint16_t> reach(std::uint16_t device, const Slot& slot,
                                     std::vector<std::uint16_t>& queue) {
    const auto replicas = table_.replicas_of(slot.part);
    count(replicas, slot.row, 1);
    const auto& tiers = table_.tree.tiers();
    std::optional<std::uint16_t> end;
    todo_.assign(1, 0);
    while (!todo_.empty() && !end) {
      const std::uint32_t tier = todo_.back();
      todo_.pop_back();
      for (std::uint32_t c = tiers[tier].first_child;
           c < tiers[tier].first_child + tiers[tier].children; ++c) {
        if (table_.here[c] >= table_.plan[c].max) continue;
        if (tiers[c].depth < kDeviceDepth) {
          todo_.push_back(c);
          continue;
        }
        const auto id = static_cast<std::uint16_t>(tiers[c].device);
        if (from_[id].seen) continue;
        from_[id] = {true, device, slot, false};
        queue.push_back(id);
        if (table_.device(id).parts_wanted > 0) {
          end = id;
          break;
        }
      }
    }
    count(replicas, slot.row, -1);
    return end;
  }

  void count(std::span<const PlacementTable::Replica> replicas, std::size_t without, int by) {
    for (const auto& replica : replicas) {
      if (replica.row == without) continue;
      for (const std::uint32_t tier : table_.tree.path(replica.device)) table_.here[tier] += by;
    }
  }

  void apply(std::uint16_t to) {
    while (!from_[to].first) {
      const Step step = from_[to];
      move(step.slot, step.device, to);
      to = step.device;
    }
  }

  PlacementTable& table_;
  std::vector<std::vector<Slot>> slots_;  ///< by device: what may go on
  std::vector<Step> from_;                ///< by device: how this search came to it
  std::vector<std::uint32_t> todo_;
  std::size_t looks_left_ = 0;
};

}  // namespace

void even_out(PlacementTable& table) {
  const auto& devices = table.state.devices;
  if (std::none_of(devices.begin(), devices.end(),
                   [](const auto& d) { return d && d->weight > 0 && d->parts_wanted > 0; })) {
    return;
  }
  Chains(table).run();
}

}  // namespace apus
