// A pending file's text: whatever it holds, what comes out are rows or told garbage.
#include <cstdint>
#include <string_view>

#include "framework/store/db/account_broker.h"
#include "framework/store/db/object_row.h"
#include "framework/store/db/pending_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> bad;
  for (const auto& entry : apus::read_pending_rows(text, bad)) {
    const auto& tuple = std::get<apus::pickle::Tuple>(entry->data);
    if (const auto row = apus::ObjectRow::from_tuple(tuple)) {
      (void)apus::merge_rows(row, *row);
      (void)apus::split_type(row->content_type);
      (void)apus::pickle::parse(row->to_pickle());
    }
    if (const auto row = apus::ContainerRow::from_tuple(tuple)) (void)apus::merge_rows(row, *row);
  }
  return 0;
}
