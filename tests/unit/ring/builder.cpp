#include "framework/ring/builder.h"

#include <doctest/doctest.h>

#include "framework/ring/composite.h"
#include "framework/ring/dispersion.h"
#include "tests/unit/ring/made_builder.h"

using namespace apus;

namespace {}  // namespace

TEST_CASE("settings out of range are refused, and change nothing") {
  CHECK_THROWS_AS(RingBuilder(33, 3, 1), BuilderError);
  CHECK_THROWS_AS(RingBuilder(8, 0.9, 1), BuilderError);
  CHECK_THROWS_AS(RingBuilder(8, 3, -1), BuilderError);
  RingBuilder builder = made_builder(4, 3, {});
  CHECK_THROWS_AS(builder.set_replicas(0), BuilderError);
  CHECK_THROWS_AS(builder.set_overload(-1), BuilderError);
  CHECK_THROWS_AS(builder.add(made_device(0, 0, 0, 0, 1)), BuilderError);
  CHECK(builder.state().replicas == 3);
  CHECK(builder.state().devices.size() == 12);
}

TEST_CASE("an address is one device's; what is marked for removal cannot be changed") {
  RingBuilder builder = made_builder(4, 3, {});
  RingDevice changed = *builder.state().devices[1];
  changed.device = builder.state().devices[0]->device;
  CHECK_THROWS_AS(builder.set_info(1, changed), BuilderError);
  changed.device = "new";
  const auto version = builder.state().version;
  builder.set_info(1, changed);
  CHECK(builder.state().devices[1]->device == "new");
  CHECK(builder.state().version == version);
  builder.remove(1);
  CHECK_THROWS_AS(builder.set_weight(1, 5), BuilderError);
  CHECK_THROWS_AS(builder.set_zone(1, 5), BuilderError);
}

TEST_CASE("a partition power grows in its four steps") {
  RingBuilder builder = made_builder(4, 3, {});
  CHECK_FALSE(builder.increase_partition_power(kNow));
  CHECK_FALSE(builder.cancel_increase_partition_power());
  CHECK_FALSE(builder.finish_increase_partition_power());
  builder.rebalance("x", kNow);
  const auto rows = builder.state().rows;
  CHECK(builder.prepare_increase_partition_power());
  CHECK_FALSE(builder.prepare_increase_partition_power());
  CHECK(builder.state().next_part_power == 5);
  CHECK(builder.increase_partition_power(kNow));
  CHECK_FALSE(builder.cancel_increase_partition_power());
  for (std::size_t part = 0; part < 16; ++part) {
    CHECK(builder.state().rows[1][2 * part] == rows[1][part]);
    CHECK(builder.state().rows[1][2 * part + 1] == rows[1][part]);
  }
  builder.validate();
  CHECK(builder.finish_increase_partition_power());
  CHECK_FALSE(builder.state().next_part_power);
  CHECK(builder.prepare_increase_partition_power());
  CHECK(builder.cancel_increase_partition_power());
  CHECK(builder.state().next_part_power == 5);
}

TEST_CASE("validation finds a partition twice on a device, and wrong counts") {
  RingBuilder good = made_builder(4, 3, {});
  CHECK_THROWS_AS(good.validate(), BuilderError);
  good.rebalance("x", kNow);
  good.validate();
  BuilderState state = good.state();
  state.rows[0][3] = state.rows[1][3];
  CHECK_THROWS_WITH_AS(RingBuilder(state).validate(), doctest::Contains("twice"), BuilderError);
  state = good.state();
  ++state.devices[0]->parts;
  CHECK_THROWS_WITH_AS(RingBuilder(state).validate(), doctest::Contains("on record"), BuilderError);
  state = good.state();
  state.rows[2][5] = kNoDevice;
  CHECK_THROWS_WITH_AS(RingBuilder(state).validate(), doctest::Contains("on no device"),
                       BuilderError);
}

TEST_CASE("the dispersion report names the worst tier") {
  RingBuilder builder(6, 3, 1);
  for (int disk = 0; disk < 4; ++disk) builder.add(made_device(1, disk / 3, disk / 3, disk, 100));
  builder.rebalance("x", kNow);
  const auto all = [](const std::string&) { return true; };
  const DispersionReport report = dispersion_report(builder.state(), all);
  CHECK(report.worst_tier == "r1z0");
  CHECK(report.tiers.size() == 9);
  CHECK(report.tiers[0].name == "r1");
  CHECK(report.tiers[1].name == "r1z0");
  CHECK(report.tiers[2].name == "r1z0-10.1.0.0");
  CHECK(report.tiers[0].placed == 192);
  CHECK(report.tiers[0].replicas == std::vector<std::int64_t>{0, 0, 0, 64});
  const auto none = [](const std::string&) { return false; };
  CHECK(dispersion_report(builder.state(), none).worst_tier.empty());
}

TEST_CASE("rings of different regions stand side by side in a composite") {
  std::vector<BuilderState> parts;
  for (int region = 1; region <= 2; ++region) {
    RingBuilder builder(4, region, 1);
    for (int disk = 0; disk < 4; ++disk) builder.add(made_device(region, 0, 0, disk, 100));
    builder.rebalance("x", kNow);
    builder.set_id(std::string(32, static_cast<char>('a' + region)));
    parts.push_back(builder.state());
  }
  const RingData ring = compose_rings(parts);
  CHECK(ring.rows.size() == 3);
  CHECK(ring.devices.size() == 8);
  CHECK(ring.devices[5]->id == 5);
  CHECK(ring.devices[5]->region == 2);
  for (const std::uint16_t id : ring.rows[2]) CHECK(id >= 4);

  CompositeState state;
  update_composite(state, parts, {"/one", "/two"}, false);
  CHECK(state.version == 1);
  CHECK_THROWS_WITH_AS(update_composite(state, parts, {"/one", "/two"}, false),
                       doctest::Contains("newer"), BuilderError);
  ++parts[1].version;
  update_composite(state, parts, {"/one", "/two"}, false);
  std::swap(parts[0], parts[1]);
  CHECK_THROWS_AS(update_composite(state, parts, {"/two", "/one"}, false), BuilderError);
  update_composite(state, parts, {"/two", "/one"}, true);
  CHECK(state.version == 3);

  parts[0].devices[0]->region = 1;
  CHECK_THROWS_WITH_AS(compose_rings(parts), doctest::Contains("region 1"), BuilderError);
  CHECK_THROWS_AS(compose_rings({parts[0]}), BuilderError);
}
