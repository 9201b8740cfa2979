#include "framework/ring/rebalance.h"

#include <algorithm>

#include "framework/ring/dispersion.h"
#include "framework/ring/placement.h"

namespace apus {
namespace {

constexpr int kMostGatherings = 3;

std::int64_t count_moved(const std::vector<std::vector<std::uint16_t>>& before,
                         const std::vector<std::vector<std::uint16_t>>& after) {
  std::int64_t moved = 0;
  const auto size = [](const auto& rows, std::size_t row) {
    return row < rows.size() ? rows[row].size() : 0;
  };
  for (std::size_t row = 0; row < std::max(before.size(), after.size()); ++row) {
    const auto [common, longest] = std::minmax({size(before, row), size(after, row)});
    moved += static_cast<std::int64_t>(longest - common);
    for (std::size_t part = 0; part < common; ++part)
      moved += before[row][part] != after[row][part] ? 1 : 0;
  }
  return moved;
}

bool any_overweight(const BuilderState& state) {
  return std::any_of(state.devices.begin(), state.devices.end(),
                     [](const auto& device) { return device && device->parts_wanted < 0; });
}

}  // namespace

void age_part_moves(BuilderState& state, std::int64_t now) {
  state.last_part_moves.resize(state.parts());
  const std::int64_t hours = (now - state.last_part_moves_epoch) / 3600;
  if (hours <= 0) return;
  for (std::uint8_t& since : state.last_part_moves)
    since = static_cast<std::uint8_t>(std::min<std::int64_t>(since + hours, 255));
  state.last_part_moves_epoch = now;
}

RebalanceResult rebalance(BuilderState& state, std::mt19937_64& chance, std::int64_t now) {
  BuilderState next = state;
  age_part_moves(next, now);
  RebalanceResult out;
  {
    PlacementTable table(next, chance);
    fit_rows(table);
    out.removed = gather_removed(table);
    gather_for_dispersion(table);
    gather_carefully(table);
    place_waiting(table);
    even_out(table);
    for (int round = 1; round < kMostGatherings && any_overweight(next); ++round) {
      gather_overweight(table);
      if (table.waiting.empty()) break;
      place_waiting(table);
      even_out(table);
    }
    spread_out(table);
  }
  next.devices_changed = false;
  measure_dispersion(next);
  ++next.version;
  out.moved = count_moved(state.rows, next.rows);
  state = std::move(next);
  return out;
}

}  // namespace apus
