// Ring files of every version, written and read.
#include <apus/digest.h>
#include <apus/json.h>
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "framework/pickle/pickle.h"
#include "framework/ring/ring_file.h"
#include "tests/unit/ring/made_builder.h"

using namespace apus;

namespace {

struct RingPath {
  RingPath()
      : path((std::filesystem::temp_directory_path() /
              ("apus-formats-" + std::to_string(::getpid()) + ".ring.gz"))
                 .string()) {}
  ~RingPath() { std::filesystem::remove(path); }
  RingPath(const RingPath&) = delete;
  RingPath& operator=(const RingPath&) = delete;
  std::string path;
};

RingData example_ring() {
  RingBuilder builder = made_builder(9, 2.5, {2, 2, 2, 2});
  builder.rebalance("x", kNow);
  RingData out = builder.ring();
  out.devices[3]->meta = "caf\xc3\xa9";
  out.next_part_power = 10;
  return out;
}

void check_equal(const RingData& a, const RingData& b) {
  CHECK(a.part_shift == b.part_shift);
  CHECK(a.version == b.version);
  CHECK(a.next_part_power == b.next_part_power);
  CHECK(a.rows == b.rows);
  REQUIRE(a.devices.size() == b.devices.size());
  for (std::size_t id = 0; id < a.devices.size(); ++id) {
    REQUIRE(a.devices[id].has_value() == b.devices[id].has_value());
    if (!a.devices[id]) continue;
    CHECK(a.devices[id]->ip == b.devices[id]->ip);
    CHECK(a.devices[id]->weight == b.devices[id]->weight);
    CHECK(a.devices[id]->meta == b.devices[id]->meta);
  }
}

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string old_ring(const std::function<void(pickle::Writer&)>& rows) {
  pickle::Writer out;
  out.begin_dict();
  out.text("part_shift");
  out.integer(31);
  out.text("devs");
  out.begin_list();
  out.none();
  out.begin_dict();
  out.text("id");
  out.integer(1);
  out.text("device");
  out.text("sda");
  out.text("ip");
  out.text("10.0.0.1");
  out.text("port");
  out.integer(6200);
  out.text("weight");
  out.number(2.5);
  out.end_dict();
  out.end_list();
  out.text("replica2part2dev_id");
  rows(out);
  out.end_dict();
  return out.finish();
}

}  // namespace

TEST_CASE("a ring comes back from a file of either version") {
  const RingData ring = example_ring();
  const RingPath file;
  for (const auto format : {RingFormat::kFirst, RingFormat::kSecond}) {
    write_ring(ring, file.path, format);
    CHECK(ring_format(file.path) == static_cast<int>(format));
    check_equal(read_ring(file.path), ring);
    const std::string once = content(file.path);
    write_ring(ring, file.path, format);
    CHECK(content(file.path) == once);
  }
  RingData composite = ring;
  composite.version.reset();
  write_ring(composite, file.path);
  CHECK_FALSE(read_ring(file.path).version);
}

TEST_CASE("version 2 ends with where its index begins, so that a reader can seek there") {
  const RingPath file;
  write_ring(example_ring(), file.path, RingFormat::kSecond);
  const std::string bytes = content(file.path);
  REQUIRE(bytes.size() > 31);
  // A stored block of eight bytes: its head has five.
  const std::string_view stored = std::string_view(bytes).substr(bytes.size() - 31);
  CHECK(stored.substr(0, 5) == std::string_view("\0\x08\0\xf7\xff", 5));
  std::uint64_t start = 0;
  for (const char c : stored.substr(5, 8)) start = start << 8U | static_cast<unsigned char>(c);
  CHECK(start < bytes.size());
  // What lies before is the end of a full flush.
  CHECK(bytes.substr(start - 4, 4) == std::string_view("\0\0\xff\xff", 4));
}

TEST_CASE("rings from before there were versions are read") {
  const auto rows = [](std::vector<std::vector<std::uint16_t>> ids) {
    return [ids](pickle::Writer& out) {
      out.begin_list();
      for (const auto& row : ids) out.array('H', row);
      out.end_list();
    };
  };
  const RingData ring = parse_ring(old_ring(rows({{1, 1}, {1}})), "x");
  CHECK(ring.part_shift == 31);
  CHECK(ring.rows == std::vector<std::vector<std::uint16_t>>{{1, 1}, {1}});
  CHECK(ring.devices[1]->region == 1);
  CHECK(ring.devices[1]->replication_ip == "10.0.0.1");
  CHECK(ring.devices[1]->weight == 2.5);
  for (const std::string& bytes :
       {old_ring(rows({{1, 2}})), old_ring(rows({{1}})), old_ring(rows({{0, 1}})),
        old_ring([](pickle::Writer& out) { out.none(); }), std::string("\x80\x02}.")}) {
    CHECK_THROWS_WITH_AS(parse_ring(bytes, "x.ring.gz"),
                         doctest::Contains("x.ring.gz: is not a usable ring"), std::runtime_error);
  }
}
