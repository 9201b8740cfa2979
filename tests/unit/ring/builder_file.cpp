#include "framework/ring/builder_file.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>

#include "framework/pickle/pickle.h"
#include "tests/unit/ring/made_builder.h"

using namespace apus;

namespace {

BuilderState example() {
  RingBuilder builder = made_builder(11, 2.5, {2, 2, 1, 2});
  builder.set_overload(0.125);
  builder.rebalance("x", kNow);
  builder.remove(3);
  builder.set_id(std::string(32, 'e'));
  return builder.state();
}

void check_equal(const BuilderState& a, const BuilderState& b) {
  CHECK(a.part_power == b.part_power);
  CHECK(a.next_part_power == b.next_part_power);
  CHECK(a.replicas == b.replicas);
  CHECK(a.version == b.version);
  CHECK(a.overload == b.overload);
  CHECK(a.dispersion == b.dispersion);
  CHECK(a.devices_changed == b.devices_changed);
  CHECK(a.removed == b.removed);
  CHECK(a.rows == b.rows);
  CHECK(a.last_part_moves == b.last_part_moves);
  CHECK(a.last_part_moves_epoch == b.last_part_moves_epoch);
  CHECK(a.last_part_gather_start == b.last_part_gather_start);
  CHECK(a.dispersion_graph == b.dispersion_graph);
  CHECK(a.id == b.id);
  REQUIRE(a.devices.size() == b.devices.size());
  for (std::size_t id = 0; id < a.devices.size(); ++id) {
    REQUIRE(a.devices[id].has_value() == b.devices[id].has_value());
    if (!a.devices[id]) continue;
    CHECK(a.devices[id]->ip == b.devices[id]->ip);
    CHECK(a.devices[id]->weight == b.devices[id]->weight);
    CHECK(a.devices[id]->parts == b.devices[id]->parts);
  }
}

// What a .builder needs to have, with one key another.
std::string small(const std::string& key, const std::function<void(pickle::Writer&)>& value) {
  pickle::Writer out;
  const auto put = [&](const char* name, const std::function<void()>& usual) {
    out.text(name);
    if (key == name) {
      value(out);
    } else {
      usual();
    }
  };
  out.begin_dict();
  put("part_power", [&] { out.integer(1); });
  put("replicas", [&] { out.number(2); });
  put("min_part_hours", [&] { out.integer(1); });
  put("parts", [&] { out.integer(2); });
  put("version", [&] { out.integer(7); });
  put("devs_changed", [&] { out.boolean(false); });
  put("devs", [&] {
    out.begin_list();
    for (int id = 0; id < 2; ++id) {
      out.begin_dict();
      out.text("id");
      out.integer(id);
      out.text("zone");
      out.integer(id);
      out.text("port");
      out.integer(6200);
      out.text("weight");
      out.number(1);
      out.text("ip");
      out.text("10.0.0.1");
      out.text("device");
      out.text("sda");
      out.end_dict();
    }
    out.end_list();
  });
  put("_remove_devs", [&] {
    out.begin_list();
    out.end_list();
  });
  put("_replica2part2dev", [&] {
    out.begin_list();
    out.array('H', std::vector<std::uint16_t>{0, 1});
    out.array('H', std::vector<std::uint16_t>{1, 0});
    out.end_list();
  });
  put("_last_part_moves", [&] { out.array('B', std::vector<std::uint8_t>{3, 4}); });
  out.end_dict();
  return out.finish();
}

}  // namespace

TEST_CASE("a builder comes back from its file") {
  const BuilderState state = example();
  check_equal(parse_builder(builder_bytes(state), "x"), state);
  RingBuilder fresh(10, 3, 24);
  check_equal(parse_builder(builder_bytes(fresh.state()), "x"), fresh.state());

  const std::string path = (std::filesystem::temp_directory_path() / "apus-test.builder").string();
  write_builder(state, path);
  check_equal(read_builder(path), state);
  std::filesystem::remove(path);
  CHECK_THROWS_AS(read_builder(path), std::system_error);
}

TEST_CASE("old builders, without what came later, are read") {
  const BuilderState state = parse_builder(small("", nullptr), "x");
  CHECK(state.devices[0]->region == 1);
  CHECK(state.devices[0]->replication_ip == "10.0.0.1");
  CHECK(state.devices[0]->replication_port == 6200);
  CHECK(state.devices[0]->parts == 2);
  CHECK_FALSE(state.dispersion);
  CHECK(state.last_part_moves == std::vector<std::uint8_t>{3, 4});
  CHECK(state.version == 7);
}

TEST_CASE("what is no builder is refused with a reason") {
  const auto refused = [](const std::string& bytes, const char* why) {
    CHECK_THROWS_WITH_AS(parse_builder(bytes, "x.builder"), doctest::Contains(why),
                         std::runtime_error);
  };
  const std::string good = builder_bytes(example());
  refused("", "no pickle");
  refused(good.substr(0, good.size() / 2), "no pickle");
  pickle::Writer list;
  list.begin_list();
  list.end_list();
  refused(list.finish(), "no builder");
  const auto integer = [](std::int64_t value) {
    return [value](pickle::Writer& out) { out.integer(value); };
  };
  refused(small("part_power", integer(33)), "'part_power'");
  refused(small("part_power", integer(2)), "'parts'");
  refused(small("replicas", integer(0)), "'replicas'");
  refused(small("replicas", [](auto& out) { out.number(std::nan("")); }), "'replicas'");
  refused(small("version", integer(-1)), "'version'");
  refused(small("devs", integer(1)), "'devs'");
  refused(small("_remove_devs", integer(1)), "'_remove_devs'");
  const auto rows = [](std::vector<std::vector<std::uint16_t>> ids) {
    return [ids](pickle::Writer& out) {
      out.begin_list();
      for (const auto& row : ids) out.array('H', row);
      out.end_list();
    };
  };
  refused(small("_replica2part2dev", rows({{0, 2}})), "device 2");
  refused(small("_replica2part2dev", rows({{0}})), "wrong length");
  refused(small("_replica2part2dev", rows({{0, 1}, {1}, {0, 1}})), "wrong length");
  refused(small("_replica2part2dev", rows({{0, 1, 0}})), "wrong length");
  refused(small("_last_part_moves",
                [](auto& out) {
                  out.array('H', std::vector<std::uint16_t>{1, 256});
                }),
          "hours");
  refused(
      small("_last_part_moves", [](auto& out) { out.array('B', std::vector<std::uint8_t>{1}); }),
      "one number for each");
}
