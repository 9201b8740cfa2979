// Pickles: whatever the bytes, no crash, and nothing is made but plain data.
#include "framework/pickle/pickle.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const apus::pickle::Ref root = apus::pickle::parse(text);
  if (root != nullptr) (void)root->find("name");
  return 0;
}
