// Commands about the files: the listing, the ring written and read back.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <set>

#include "framework/ring/builder_file.h"
#include "servers/apus/formatted.h"
#include "servers/apus/ring_options.h"
#include "servers/apus/ring_session.h"

namespace apus {
namespace {

namespace fs = std::filesystem;

bool same_device(const std::optional<RingDevice>& a, const std::optional<RingDevice>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->id == b->id && a->region == b->region && a->zone == b->zone && a->ip == b->ip &&
         a->port == b->port && a->replication_ip == b->replication_ip &&
         a->replication_port == b->replication_port && a->device == b->device &&
         a->weight == b->weight && a->meta == b->meta;
}

bool same_ring(const RingData& a, const RingData& b) {
  return a.part_shift == b.part_shift && a.version == b.version &&
         a.next_part_power == b.next_part_power && a.rows == b.rows &&
         std::equal(a.devices.begin(), a.devices.end(), b.devices.begin(), b.devices.end(),
                    same_device);
}

// Says how the ring file stands to the builder; true when they agree.
bool tell_of_ring_file(const RingSession& session) {
  std::cout << "Ring file " << session.ring_file;
  std::error_code error;
  if (!fs::exists(session.ring_file, error)) {
    std::cout << " not found, probably it hasn't been written yet\n";
    return false;
  }
  try {
    const bool same = same_ring(read_ring(session.ring_file), session.builder.ring());
    std::cout << (same ? " is up-to-date\n" : " is obsolete\n");
    return same;
  } catch (const std::exception& fault) {
    std::cout << " is invalid: " << fault.what() << "\n";
    return false;
  }
}

// Columns as wide as what is in them.
class Table {
 public:
  explicit Table(const std::vector<const BuilderDevice*>& devices) {
    for (const BuilderDevice* d : devices) {
      fit(ip_, shown_ip(d->ip));
      fit(port_, std::to_string(d->port));
      fit(replication_ip_, shown_ip(d->replication_ip));
      fit(replication_port_, std::to_string(d->replication_port));
      fit(weight_, formatted("%6.02f", d->weight));
    }
  }
  std::string head() const {
    return "Devices:   id region zone " + right("ip address", ip_) + ":" + left("port", port_) +
           " " + right("replication ip", replication_ip_) + ":" + left("port", replication_port_) +
           "  name " + right("weight", weight_) + " partitions balance flags meta\n";
  }
  std::string line(const BuilderDevice& d, double balance, bool removed) const {
    return formatted("%13d %6d %4d ", d.id, d.region, d.zone) + right(shown_ip(d.ip), ip_) + ":" +
           left(std::to_string(d.port), port_) + " " +
           right(shown_ip(d.replication_ip), replication_ip_) + ":" +
           left(std::to_string(d.replication_port), replication_port_) + " " + right(d.device, 5) +
           " " + right(formatted("%6.02f", d.weight), weight_) + " " +
           right(std::to_string(d.parts), 10) + formatted(" %7.02f ", balance) +
           (removed ? "  DEL" : "     ") + " " + d.meta + "\n";
  }

 private:
  static void fit(std::size_t& width, const std::string& text) {
    width = std::max(width, text.size());
  }
  std::size_t ip_ = 10;
  std::size_t port_ = 4;
  std::size_t replication_ip_ = 14;
  std::size_t replication_port_ = 4;
  std::size_t weight_ = 6;
};

void tell_of_power_increase(const BuilderState& state, bool ring_is_new) {
  if (state.next_part_power == state.part_power + 1) {
    std::cout << "\nPreparing increase of partition power (" << state.part_power << " -> "
              << *state.next_part_power << ")\nRun \"swift-object-relinker relink\" on all nodes, "
              << "then increase_partition_power.\n";
  } else if (state.next_part_power == state.part_power) {
    std::cout << "\nIncreased partition power (" << state.part_power << " -> "
              << *state.next_part_power << ")\n";
    if (!ring_is_new) std::cout << "Run write_ring and give the ring to all nodes first.\n";
    std::cout << "Run \"swift-object-relinker cleanup\" on all nodes, then "
                 "finish_increase_partition_power.\n";
  }
}

std::string dispersion_text(const BuilderState& state) {
  return state.dispersion ? formatted(", %.02f dispersion", *state.dispersion) : "";
}

int write_ring_file(RingSession& session) {
  std::string format = "1";
  CLI::App options("Writes the ring as the builder has it.", "write_ring");
  options.add_option("--format-version", format, "of the ring file: 1 or 2");
  if (!parse_ring_options(options, session.words)) return kRingDone;
  const int version = whole_number(format, "--format-version", 1, 2);
  if (session.builder.state().devices.empty())
    throw RingArgumentError("a ring without devices is not written: add some first");
  if (!session.builder.ever_rebalanced())
    std::cout << "Warning: the ring has devices but no partitions; rebalance first?\n";
  session.save_with_backups(true, false, static_cast<RingFormat>(version));
  return kRingDone;
}

int write_builder_file(RingSession& session) {
  if (session.words.size() > 1) throw RingArgumentError("expected [MIN_PART_HOURS]");
  std::error_code error;
  if (fs::exists(session.builder_file, error))
    throw RingArgumentError(session.builder_file + ": is there already and is not overwritten");
  BuilderState state;
  state.min_part_hours = 24;
  if (session.words.empty()) {
    std::cerr << "WARNING: min_part_hours is set to 24, which the lost builder may not have had.\n";
  } else {
    state.min_part_hours = whole_number(session.words.front(), "min_part_hours", 0, INT32_MAX);
  }
  RingData ring = read_ring(session.ring_file);
  state.part_power = 32 - ring.part_shift;
  state.next_part_power = ring.next_part_power;
  state.version = ring.version.value_or(0);
  state.dispersion.reset();
  state.replicas =
      static_cast<double>(ring.rows.size() - 1) +
      static_cast<double>(ring.rows.back().size()) / static_cast<double>(state.parts());
  for (auto& device : ring.devices) {
    state.devices.emplace_back();
    if (device) state.devices.back() = BuilderDevice{std::move(*device)};
  }
  for (const auto& row : ring.rows) {
    for (const std::uint16_t id : row) ++state.devices[id]->parts;
  }
  state.rows = std::move(ring.rows);
  state.last_part_moves.resize(state.parts());
  session.builder = RingBuilder(std::move(state));
  session.save();
  return kRingDone;
}

int version(RingSession& session) {
  const RingData ring = read_ring(session.ring_file);
  std::cout << session.ring_file << ": Serialization version: " << ring_format(session.ring_file)
            << " (2-byte IDs), build version: "
            << (ring.version ? std::to_string(*ring.version) : "None") << "\n";
  return kRingDone;
}

}  // namespace

std::string shown_duration(std::int64_t seconds) {
  const std::int64_t days = seconds / 86400;
  std::string clock =
      formatted("%d:%02d:%02d", static_cast<int>(seconds % 86400 / 3600),
                static_cast<int>(seconds % 3600 / 60), static_cast<int>(seconds % 60));
  if (days == 0) return clock;
  return std::to_string(days) + (days == 1 ? " day, " : " days, ") + clock;
}

int show_ring(RingSession& session) {
  const BuilderState& state = session.builder.state();
  std::vector<const BuilderDevice*> devices;
  std::set<int> regions;
  std::set<std::pair<int, int>> zones;
  for (const auto& device : state.devices) {
    if (!device) continue;
    devices.push_back(&*device);
    regions.insert(device->region);
    zones.emplace(device->region, device->zone);
  }
  std::sort(devices.begin(), devices.end(), [](const auto* a, const auto* b) {
    return std::tie(a->region, a->zone, a->ip, a->device) <
           std::tie(b->region, b->zone, b->ip, b->device);
  });
  std::vector<double> balances(state.devices.size());
  std::string empty;
  double balance = 0;
  try {
    balances = session.builder.balance_by_device();
    balance = session.builder.balance();
  } catch (const BuilderError& error) {
    empty = error.what();
  }
  std::cout << session.builder_file << ", build version " << state.version << ", id "
            << (state.id.empty() ? "(not assigned)" : state.id) << "\n"
            << formatted(
                   "%zu partitions, %.6f replicas, %zu regions, %zu zones, %zu devices, "
                   "%.02f balance",
                   state.parts(), state.replicas, regions.size(), zones.size(), devices.size(),
                   balance)
            << dispersion_text(state) << "\n"
            << "The minimum number of hours before a partition can be reassigned is "
            << state.min_part_hours << " ("
            << shown_duration(session.builder.min_part_seconds_left(std::time(nullptr)))
            << " remaining)\n"
            << formatted("The overload factor is %0.2f%% (%.6f)\n", state.overload * 100,
                         state.overload);
  const bool ring_is_new = tell_of_ring_file(session);
  const Table table(devices);
  std::string lines = table.head();
  for (const BuilderDevice* device : devices) {
    lines += table.line(*device, balances[static_cast<std::size_t>(device->id)],
                        state.is_removed(device->id));
  }
  std::cout << lines;
  tell_of_power_increase(state, ring_is_new);
  if (!empty.empty()) std::cout << empty << "\n";
  return kRingDone;
}

const RingCommand kFileCommands[] = {
    {"write_ring", "[--format-version 1|2]", "the ring as the builder has it, without a rebalance",
     write_ring_file},
    {"write_builder", "[MIN_PART_HOURS]", "a builder from a ring, when the builder is lost",
     write_builder_file},
    {"version", "", "the version of the ring file's format, and of what is in it", version},
    {nullptr, nullptr, nullptr, nullptr},
};

}  // namespace apus
