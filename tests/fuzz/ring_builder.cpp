// Builder files: any bytes, and a good builder with some bytes changed. What is taken can be
// written, read again and rebalanced.
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include "framework/ring/builder.h"
#include "framework/ring/builder_file.h"

namespace {

void read(std::string_view bytes) {
  try {
    const apus::BuilderState state = apus::parse_builder(bytes, "x.builder");
    if (apus::parse_builder(apus::builder_bytes(state), "x.builder").rows != state.rows)
      std::abort();
    if (state.part_power > 10 || state.devices.size() > 100) return;
    apus::RingBuilder builder(state);
    builder.rebalance("x", 1'800'000'000);
  } catch (const apus::BuilderError&) {
  } catch (const std::runtime_error& error) {
    if (!std::string_view(error.what()).starts_with("x.builder: ")) std::abort();
  }
}

std::string good() {
  apus::RingBuilder builder(3, 2.5, 1);
  for (int i = 0; i < 5; ++i) {
    apus::RingDevice device;
    device.zone = i / 2;
    device.ip = "10.0.0.1";
    device.port = 6200;
    device.device = "d" + std::to_string(i);
    device.weight = 100;
    builder.add(device);
  }
  builder.rebalance("x", 1'800'000'000);
  builder.remove(4);
  return apus::builder_bytes(builder.state());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read({reinterpret_cast<const char*>(data), size});
  // Three bytes a change: place (two) and value.
  static const std::string kGood = good();
  std::string file = kGood;
  for (std::size_t at = 0; at + 3 <= size; at += 3)
    file[(data[at] * 256U + data[at + 1]) % file.size()] = static_cast<char>(data[at + 2]);
  read(file);
  return 0;
}
