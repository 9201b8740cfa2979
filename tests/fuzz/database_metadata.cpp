// The metadata column of databases: entries or none; merged with itself nothing changes.
#include "framework/store/db/database_metadata.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto metadata = apus::parse_metadata_column({reinterpret_cast<const char*>(data), size});
  const auto copy = metadata;
  if (apus::merge_metadata(metadata, copy)) std::abort();
  if (apus::check_stored_metadata(metadata, apus::Constraints()).empty() &&
      apus::parse_metadata_column(apus::metadata_column(metadata)) != metadata)
    std::abort();
  return 0;
}
