// What a peer sends with merge_items: cut into its arguments, its rows read and merged.
#include <apus/json.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "framework/json/json_items.h"
#include "framework/store/db/object_row.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto items = apus::json_items(text, size);
  // A list's items are those that the whole text has.
  if (const auto whole = apus::Json::parse(text); whole && whole->array() != nullptr) {
    if (!items || items->size() != whole->array()->size()) std::abort();
    for (std::size_t i = 0; i < items->size(); ++i) {
      const auto item = apus::Json::parse((*items)[i]);
      if (!item || item->dump() != (*whole->array())[i].dump()) std::abort();
    }
  }
  const auto read = apus::read_object_rows(text);
  if (!read) return 0;
  for (const apus::ObjectRow& row : read->rows) (void)apus::merge_rows(row, row);
  return 0;
}
