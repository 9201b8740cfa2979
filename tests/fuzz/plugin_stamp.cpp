// The stamp reader meets any bytes, and good files with some bytes changed.
#include <cstring>
#include <string>

#include "framework/plugin/stamp.h"
#include "tests/unit/plugin/small_elf.h"

namespace {

void read(std::string_view bytes) {
  try {
    const apus::PluginStamp stamp = apus::parse_stamp(bytes, "x.so");
    apus::check_stamp("x.so", stamp, apus::PluginKind::kFilter);
  } catch (const apus::PluginError&) {
  }
}

std::string good_file() {
  apus::PluginStamp stamp{};
  std::memcpy(stamp.magic, apus::kPluginMagic, sizeof stamp.magic);
  stamp.size = sizeof stamp;
  stamp.abi = APUS_ABI;
  return apus::test::small_elf({reinterpret_cast<const char*>(&stamp), sizeof stamp});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read({reinterpret_cast<const char*>(data), size});
  // Three bytes a change: place (two) and value; then the file is cut where the rest says.
  std::string file = good_file();
  for (; size >= 3; data += 3, size -= 3) {
    file[(data[0] * 256U + data[1]) % file.size()] = static_cast<char>(data[2]);
  }
  if (size > 0) file.resize(file.size() * data[0] / 255);
  read(file);
  return 0;
}
