// Ring files: any bytes, and good rings of all versions with some bytes changed. What is taken
// answers look-ups.
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "framework/pickle/pickle.h"
#include "framework/ring/ring_file.h"

namespace {

void read(std::string_view bytes) {
  try {
    const auto ring = apus::make_ring(apus::parse_ring(bytes, "x.ring.gz"));
    for (std::uint32_t part = 0; part < ring->partition_count() && part < 4; ++part) {
      for (const apus::RingNode& node : ring->primaries(part)) {
        if (node.device == nullptr) std::abort();
      }
      const auto walk = ring->handoffs(part);
      std::size_t handoffs = 0;
      while (walk->next()) ++handoffs;
      if (handoffs > ring->devices().size()) std::abort();
    }
  } catch (const std::runtime_error& error) {
    if (!std::string_view(error.what()).starts_with("x.ring.gz: ")) std::abort();
  }
}

std::string sized(std::size_t width, const std::string& section) {
  std::string out;
  for (std::size_t i = width; i-- > 0;) out += static_cast<char>(section.size() >> (8 * i));
  return out + section;
}

const std::string kDevices =
    R"([{"id":0,"region":1,"zone":1,"ip":"10.0.0.1","port":6200,"device":"sda","weight":100.0},null,)"
    R"({"id":2,"region":1,"zone":2,"ip":"10.0.0.2","port":6200,"device":"sdb","weight":1e2}])";
const std::string kRows("\0\0\2\0\2\0\0\0\2\0\0\0", 12);  // part power 1: two rows, half a third

std::string first_version() {
  return std::string("R1NG\0\1", 6) +
         sized(4, R"({"part_shift":31,"replica_count":3,"byteorder":"little","devs":)" + kDevices +
                      "}") +
         kRows;
}

std::string second_version() {
  return std::string("R1NG\0\2", 6) +
         sized(8, R"({"part_shift":31,"dev_id_bytes":2,"replica_count":3})") + sized(8, kDevices) +
         sized(8, std::string("\0\0\0\2\0\2\0\0\0\2", 10));
}

// The pickle that old releases wrote.
std::string before_versions() {
  apus::pickle::Writer out;
  out.begin_dict();
  out.text("part_shift");
  out.integer(31);
  out.text("devs");
  out.begin_list();
  for (int id = 0; id < 2; ++id) {
    out.begin_dict();
    out.text("id");
    out.integer(id);
    out.text("device");
    out.text("sda");
    out.text("weight");
    out.number(1);
    out.end_dict();
  }
  out.end_list();
  out.text("replica2part2dev_id");
  out.begin_list();
  out.array('H', std::vector<std::uint16_t>{0, 1});
  out.array('H', std::vector<std::uint16_t>{1});
  out.end_list();
  out.end_dict();
  return out.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read({reinterpret_cast<const char*>(data), size});
  // Three bytes a change: place (two) and value; then the file is cut where the rest says.
  for (std::string file : {first_version(), second_version(), before_versions()}) {
    std::size_t at = 0;
    for (; at + 3 <= size; at += 3)
      file[(data[at] * 256U + data[at + 1]) % file.size()] = static_cast<char>(data[at + 2]);
    if (at < size) file.resize(file.size() * data[at] / 255);
    read(file);
  }
  return 0;
}
