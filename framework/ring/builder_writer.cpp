#include "framework/pickle/pickle.h"
#include "framework/ring/builder_file.h"
#include "framework/ring/replaced_file.h"

namespace apus {
namespace {

void write_device(pickle::Writer& out, const BuilderDevice& device) {
  const auto whole = [&](const char* key, std::int64_t value) {
    out.text(key);
    out.integer(value);
  };
  const auto text = [&](const char* key, const std::string& value) {
    out.text(key);
    out.text(value);
  };
  out.begin_dict();
  whole("id", device.id);
  whole("region", device.region);
  whole("zone", device.zone);
  text("ip", device.ip);
  whole("port", device.port);
  text("device", device.device);
  text("meta", device.meta);
  text("replication_ip", device.replication_ip);
  whole("replication_port", device.replication_port);
  out.text("weight");
  out.number(device.weight);
  whole("parts", device.parts);
  whole("parts_wanted", device.parts_wanted);
  out.end_dict();
}

void write_tier(pickle::Writer& out, const TierName& tier) {
  out.begin_tuple();
  out.integer(tier.region);
  if (tier.depth >= 2) out.integer(tier.zone);
  if (tier.depth >= 3) out.text(tier.ip);
  if (tier.depth >= 4) out.integer(tier.device);
  out.end_tuple();
}

// A device on its way out is one object in both lists, as Swift has it.
void write_devices(pickle::Writer& out, const BuilderState& state) {
  std::vector<std::optional<std::uint32_t>> memos(state.devices.size());
  out.text("devs");
  out.begin_list();
  for (std::size_t id = 0; id < state.devices.size(); ++id) {
    if (!state.devices[id]) {
      out.none();
      continue;
    }
    write_device(out, *state.devices[id]);
    if (state.is_removed(static_cast<int>(id))) memos[id] = out.remember();
  }
  out.end_list();
  out.text("_remove_devs");
  out.begin_list();
  for (const int id : state.removed) out.recall(*memos[static_cast<std::size_t>(id)]);
  out.end_list();
}

void write_rows(pickle::Writer& out, const BuilderState& state) {
  out.text("_replica2part2dev");
  if (state.rows.empty()) {
    out.none();
  } else {
    out.begin_list();
    for (const auto& row : state.rows) out.array('H', row);
    out.end_list();
  }
  out.text("_last_part_moves");
  out.array('B', state.last_part_moves);
}

void write_graph(pickle::Writer& out, const BuilderState& state) {
  out.text("_dispersion_graph");
  out.begin_dict();
  for (const auto& [tier, counts] : state.dispersion_graph) {
    write_tier(out, tier);
    out.begin_list();
    for (const std::int64_t count : counts) out.integer(count);
    out.end_list();
  }
  out.end_dict();
}

}  // namespace

std::string builder_bytes(const BuilderState& state) {
  pickle::Writer out;
  const auto whole = [&](const char* key, std::int64_t value) {
    out.text(key);
    out.integer(value);
  };
  const auto real = [&](const char* key, double value) {
    out.text(key);
    out.number(value);
  };
  out.begin_dict();
  whole("part_power", state.part_power);
  out.text("next_part_power");
  if (state.next_part_power) {
    out.integer(*state.next_part_power);
  } else {
    out.none();
  }
  real("replicas", state.replicas);
  whole("min_part_hours", state.min_part_hours);
  whole("parts", static_cast<std::int64_t>(state.parts()));
  whole("version", state.version);
  real("overload", state.overload);
  out.text("dispersion");
  if (state.dispersion) {
    out.number(*state.dispersion);
  } else {
    out.none();
  }
  out.text("devs_changed");
  out.boolean(state.devices_changed);
  out.text("id");
  if (state.id.empty()) {
    out.none();
  } else {
    out.text(state.id);
  }
  whole("_last_part_moves_epoch", state.last_part_moves_epoch);
  whole("_last_part_gather_start", state.last_part_gather_start);
  write_devices(out, state);
  write_rows(out, state);
  write_graph(out, state);
  out.end_dict();
  return out.finish();
}

void write_builder(const BuilderState& state, const std::vector<std::string>& paths) {
  const std::string bytes = builder_bytes(state);
  for (const std::string& path : paths) replace_file(path, bytes);
}

void write_builder(const BuilderState& state, const std::string& path) {
  write_builder(state, std::vector{path});
}

}  // namespace apus
