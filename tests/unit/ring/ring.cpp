#include <doctest/doctest.h>

#include <filesystem>

#include "framework/ring/builder.h"
#include "framework/ring/ring_file.h"

using namespace apus;

namespace {

// Part power 3, 3 replicas: the fixture was made by Swift's own ring.
std::shared_ptr<const Ring> fixture() {
  RingData data;
  data.part_shift = 29;
  const auto add = [&](int region, int zone, const char* ip) {
    RingDevice device;
    device.id = static_cast<int>(data.devices.size());
    device.region = region;
    device.zone = zone;
    device.ip = ip;
    device.device = "sd" + std::to_string(device.id);
    device.weight = 1;
    data.devices.emplace_back(device);
  };
  int n = 0;
  for (const int region : {1, 2}) {
    for (const int zone : {1, 2}) {
      for (int host = 0; host < 2; ++host)
        add(region, zone, ("10.0.0." + std::to_string(n++)).c_str());
    }
  }
  add(1, 1, "10.0.0.0");
  add(2, 2, "10.0.0.7");
  data.rows = {{8, 4, 6, 8, 0, 0, 7, 0}, {3, 1, 1, 6, 2, 4, 1, 5}, {6, 7, 4, 3, 5, 2, 5, 2}};
  return make_ring(std::move(data));
}

std::vector<int> handoffs_of(const Ring& ring, std::uint32_t part) {
  std::vector<int> out;
  const auto walk = ring.handoffs(part);
  while (const auto node = walk->next()) out.push_back(node->device->id);
  return out;
}

}  // namespace

TEST_CASE("primaries and handoffs come in Swift's order") {
  const auto ring = fixture();
  const std::vector<std::vector<int>> expected = {
      {5, 7, 1, 2, 4, 0}, {2, 5, 0, 6, 3, 8}, {2, 7, 5, 0, 3, 8}, {5, 2, 4, 1, 7, 0},
      {7, 4, 1, 6, 3, 8}, {7, 5, 1, 6, 3, 8}, {3, 8, 6, 4, 2, 0}, {7, 4, 1, 6, 3, 8}};
  for (std::uint32_t part = 0; part < 8; ++part) {
    CAPTURE(part);
    CHECK(handoffs_of(*ring, part) == expected[part]);
  }
  CHECK(ring->primaries(2)[0].device->id == 6);
  CHECK(ring->partition_of("ffffffffffffffffffffffffffffffff") == 7);
}

TEST_CASE("a built ring is balanced, spread, and comes back from its file") {
  RingBuilder builder(8, 3, 1);
  for (int i = 0; i < 6; ++i) {
    RingDevice device;
    device.zone = i / 2;
    device.ip = "127.0.0.1";
    device.port = 6200 + i;
    device.device = "d" + std::to_string(i);
    device.weight = i == 0 ? 50 : 100;
    builder.add(device);
  }
  builder.rebalance("seed");
  const std::string path = (std::filesystem::temp_directory_path() / "apus-test.ring.gz").string();
  builder.save_ring(path);
  const auto ring = make_ring(read_ring(path));
  std::filesystem::remove(path);
  CHECK(ring->partition_count() == 256);
  CHECK(ring->replica_count() == 3);
  std::vector<int> count(6);
  for (std::uint32_t part = 0; part < 256; ++part) {
    const auto nodes = ring->primaries(part);
    REQUIRE(nodes.size() == 3);
    CHECK(nodes[0].device->zone != nodes[1].device->zone);
    CHECK(nodes[1].device->zone != nodes[2].device->zone);
    for (const auto& node : nodes) ++count[static_cast<std::size_t>(node.device->id)];
  }
  CHECK(count[0] < count[1]);
  CHECK_THROWS(builder.add(*builder.state().devices[0]));
}

TEST_CASE("what is no ring is refused with a reason") {
  const std::string head("R1NG\x00\x01", 6);
  const std::string meta =
      R"({"byteorder": "little", "devs": [{"id": 0, "device": "a", "ip": "1.1.1.1", "port": 1, "weight": 1.0}], "part_shift": 31, "replica_count": 1})";
  const std::string good = head + std::string("\x00\x00\x00", 3) + static_cast<char>(meta.size()) +
                           meta + std::string(4, '\0');
  CHECK(parse_ring(good, "x").rows.size() == 1);
  for (const std::string& text : {std::string(), std::string("R1N"), std::string("R1NG\x00\x09", 6),
                                  head, good.substr(0, good.size() - 1),
                                  good.substr(0, good.size() - 2) + std::string("\x05\x00", 2),
                                  head + "\xff\xff\xff\xff{}"}) {
    CHECK_THROWS_WITH_AS(parse_ring(text, "x.ring.gz"),
                         doctest::Contains("x.ring.gz: is not a usable ring"), std::runtime_error);
  }
}

TEST_CASE("a ring with more devices than two bytes can name is refused, not cut short") {
  const auto sized = [](const std::string& section) {
    std::string out(8, '\0');
    for (std::size_t i = 0; i < 8; ++i)
      out[7 - i] = static_cast<char>(section.size() >> (8 * i) & 0xffU);
    return out + section;
  };
  const auto ring_of = [&](std::size_t removed, const std::string& last) {
    std::string devices = "[";
    for (std::size_t i = 0; i < removed; ++i) devices += "null,";
    devices += R"({"device": "a", "ip": "1.1.1.1", "port": 1, "weight": 1.0}])";
    return std::string("R1NG\0\2", 6) +
           sized(R"({"part_shift": 31, "dev_id_bytes": 4, "replica_count": 1})") + sized(devices) +
           sized(last + last);
  };
  const auto whole = parse_ring(ring_of(0xffff, std::string("\0\0\xff\xff", 4)), "x");
  CHECK(whole.rows.front().front() == 0xffff);
  CHECK_THROWS_WITH_AS(parse_ring(ring_of(0x10000, std::string("\0\1\0\0", 4)), "x.ring.gz"),
                       doctest::Contains("more than 65536 devices"), std::runtime_error);
}
