// Names of hidden versions: what is taken apart is put together again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

// The filter is a shared object of its own; its names are compiled in here.
#include "middleware/versioned_writes/version_names.cpp"

using namespace apus::versioned_writes;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view name(reinterpret_cast<const char*>(data), size);
  if (const auto version = parse_version(name)) {
    const auto again = parse_version(version_name(version->object, version->moment));
    if (!again || again->object != version->object || again->moment != version->moment)
      std::abort();
  }
  const auto container = versions_container(name);
  if (container && owner_of(*container) != name) std::abort();
  (void)owner_of(name);
  return 0;
}
