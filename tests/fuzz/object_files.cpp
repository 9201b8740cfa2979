// Names in an object's folder: each is chosen, obsolete, waiting or unexpected.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "framework/store/object/file_set.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> names;
  std::string name;
  for (std::size_t i = 0; i <= size; ++i) {
    if (i < size && data[i] != '\n') {
      name += static_cast<char>(data[i]);
    } else {
      names.push_back(std::move(name));
      name.clear();
    }
  }
  const apus::FileSet set = apus::choose_files(names);
  if (set.data && set.tombstone) std::abort();
  if (set.meta && !set.data) std::abort();
  if (set.obsolete.size() + set.reclaimable.size() + set.unexpected > names.size()) std::abort();
  return 0;
}
