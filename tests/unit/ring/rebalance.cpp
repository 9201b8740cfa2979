#include "framework/ring/rebalance.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "framework/ring/replica_plan.h"
#include "tests/unit/ring/made_builder.h"

using namespace apus;

namespace {

constexpr std::int64_t kHour = 3600;

std::map<int, int> regions_of(const BuilderState& state, const std::vector<int>& ids) {
  std::map<int, int> out;
  for (const int id : ids) ++out[state.devices[static_cast<std::size_t>(id)]->region];
  return out;
}

// No partition has more replicas in a tier than an even spread puts there.
void check_spread(const BuilderState& state) {
  const TierTree tree(state.devices);
  const std::vector<int> most = most_replicas(tree, state.replicas);
  for (const auto& ids : assignments(state)) {
    std::map<std::uint32_t, int> here;
    for (const int id : ids) {
      for (const std::uint32_t tier : tree.path(id)) ++here[tier];
    }
    for (const auto& [tier, count] : here) REQUIRE(count <= most[tier]);
  }
}

void check_weights(const RingBuilder& builder) {
  const BuilderState& state = builder.state();
  double weight = 0;
  for (const auto& device : state.devices) weight += device ? device->weight : 0;
  const auto slots = static_cast<double>(state.parts()) * state.replicas;
  for (const auto& device : state.devices) {
    if (!device) continue;
    CAPTURE(device->id);
    CHECK(std::abs(static_cast<double>(device->parts) - device->weight / weight * slots) < 1.001);
  }
}

}  // namespace

TEST_CASE("a first rebalance spreads replicas as far as can be and meets the weights") {
  for (const double replicas : {1.0, 2.0, 3.0, 3.5, 5.0}) {
    for (const Shape& shape : {Shape{1, 1, 1, 8}, Shape{1, 3, 2, 2}, Shape{2, 2, 3, 1},
                               Shape{3, 2, 2, 2}, Shape{1, 5, 1, 1}}) {
      CAPTURE(replicas);
      CAPTURE(shape.zones);
      RingBuilder builder = made_builder(8, replicas, shape);
      const RebalanceResult result = builder.rebalance("x", kNow);
      CHECK(result.moved == static_cast<std::int64_t>(256 * replicas));
      builder.validate();
      check_spread(builder.state());
      check_weights(builder);
      CHECK(*builder.state().dispersion == 0);
    }
  }
}

TEST_CASE("weights are met when they differ, as far as replicas stay apart") {
  RingBuilder builder(10, 3, 1);
  for (int zone = 0; zone < 4; ++zone) {
    for (int disk = 0; disk < 3; ++disk) builder.add(made_device(1, zone, 0, disk, 50 + 50 * disk));
  }
  builder.rebalance("x", kNow);
  check_weights(builder);
  check_spread(builder.state());
}

TEST_CASE("equal seeds give equal rings, other seeds others") {
  RingBuilder first = made_builder(8, 3, {});
  RingBuilder second = made_builder(8, 3, {});
  RingBuilder third = made_builder(8, 3, {});
  first.rebalance("one", kNow);
  second.rebalance("one", kNow);
  third.rebalance("two", kNow);
  CHECK(first.state().rows == second.state().rows);
  CHECK(first.state().rows != third.state().rows);
}

TEST_CASE("a balanced ring stays as it is") {
  RingBuilder builder = made_builder(8, 3, {2, 2, 2, 3});
  builder.rebalance("x", kNow);
  const auto rows = builder.state().rows;
  const RebalanceResult again = builder.rebalance("y", kNow + 10 * kHour);
  CHECK(again.moved == 0);
  CHECK(builder.state().rows == rows);
}

TEST_CASE("a partition moves one replica at a time, and not again within min_part_hours") {
  RingBuilder builder = made_builder(8, 3, {1, 4, 1, 2}, 3);
  builder.rebalance("x", kNow);
  std::int64_t now = kNow;
  std::vector<std::int64_t> moved(256, kNow);
  for (int step = 0; step < 8; ++step) {
    builder.add(made_device(0, step % 4, 1, step, 200));
    now += kHour;
    const auto before = assignments(builder.state());
    builder.rebalance("x", now);
    const auto after = assignments(builder.state());
    for (std::size_t part = 0; part < 256; ++part) {
      int changed = 0;
      for (std::size_t row = 0; row < 3; ++row) changed += before[part][row] != after[part][row];
      REQUIRE(changed <= 1);
      if (changed == 0) continue;
      REQUIRE(now - moved[part] >= 3 * kHour);
      moved[part] = now;
    }
    builder.validate();
  }
  CHECK(*std::max_element(moved.begin(), moved.end()) > kNow);
}

TEST_CASE("a new device takes its share, and little else moves") {
  RingBuilder builder = made_builder(10, 3, {1, 4, 2, 2}, 0);
  builder.rebalance("x", kNow);
  const int id = builder.add(made_device(0, 2, 0, 7, 100));
  const RebalanceResult result = builder.rebalance("x", kNow);
  const std::int64_t share = builder.state().devices[static_cast<std::size_t>(id)]->parts;
  CHECK(share > 150);
  CHECK(result.moved >= share);
  CHECK(result.moved <= share * 3 / 2);
  check_spread(builder.state());
  check_weights(builder);
}

TEST_CASE("removed devices are emptied at once, those without weight as min_part_hours allows") {
  RingBuilder builder = made_builder(8, 3, {1, 4, 1, 2}, 24);
  builder.rebalance("x", kNow);
  builder.remove(0);
  builder.set_weight(1, 0);
  const RebalanceResult removed = builder.rebalance("x", kNow + kHour);
  CHECK(removed.removed == 1);
  CHECK_FALSE(builder.state().devices[0]);
  CHECK(builder.state().devices[1]->parts > 0);
  builder.validate();
  builder.rebalance("x", kNow + 26 * kHour);
  CHECK(builder.state().devices[1]->parts == 0);
  CHECK(builder.balance() < 2);
  builder.validate();
  const int id = builder.add(made_device(0, 0, 0, 0, 100));
  CHECK(id == 0);  // its number is free again
}

TEST_CASE("fractional replica counts: the last row is short") {
  RingBuilder builder = made_builder(8, 2.25, {1, 4, 1, 2});
  builder.rebalance("x", kNow);
  REQUIRE(builder.state().rows.size() == 3);
  CHECK(builder.state().rows[2].size() == 64);
  for (const double replicas : {3.5, 3.0, 1.5, 4.0}) {
    builder.set_replicas(replicas);
    builder.pretend_min_part_hours_passed();
    builder.rebalance("x", kNow);
    builder.validate();
    std::size_t slots = 0;
    for (const auto& row : builder.state().rows) slots += row.size();
    CHECK(slots == static_cast<std::size_t>(256 * replicas));
    CHECK(builder.balance() < 5);
  }
}

TEST_CASE("overload lets a small zone hold its replica") {
  RingBuilder builder(8, 3, 0);
  for (int zone = 0; zone < 3; ++zone)
    builder.add(made_device(1, zone, 0, 0, zone == 0 ? 80 : 100));
  for (int zone = 1; zone < 3; ++zone) builder.add(made_device(1, zone, 1, 0, 10));
  builder.rebalance("x", kNow);
  CHECK(*builder.state().dispersion > 0);
  CHECK(builder.required_overload() == doctest::Approx(0.25));
  builder.set_overload(0.1);
  builder.rebalance("x", kNow);
  const double before = *builder.state().dispersion;
  builder.set_overload(0.3);
  builder.rebalance("x", kNow);
  CHECK(*builder.state().dispersion == 0);
  CHECK(before > 0);
}

TEST_CASE("two regions hold what their weights say, never all replicas of one") {
  RingBuilder builder(8, 3, 1);
  for (int i = 0; i < 6; ++i) builder.add(made_device(i < 4 ? 1 : 2, i, 0, 0, 100));
  builder.rebalance("x", kNow);
  for (const auto& ids : assignments(builder.state())) {
    const auto regions = regions_of(builder.state(), ids);
    REQUIRE(regions.size() == 2);
    REQUIRE(regions.at(1) == 2);
  }
}

TEST_CASE("a removed zone's replicas go to the others") {
  RingBuilder builder = made_builder(8, 3, {1, 5, 2, 2}, 0);
  builder.rebalance("x", kNow);
  for (int id = 0; id < 4; ++id) builder.remove(id);
  builder.rebalance("x", kNow);
  builder.validate();
  check_spread(builder.state());
  check_weights(builder);
}

TEST_CASE("too few devices are told") {
  RingBuilder builder = made_builder(4, 3, {1, 1, 1, 2});
  CHECK_THROWS_WITH_AS(builder.rebalance("x", kNow),
                       "3 replicas need as many devices with weight; there are 2", BuilderError);
  CHECK_FALSE(builder.ever_rebalanced());
}
