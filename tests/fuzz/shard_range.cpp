// Shard ranges and rows as peers send them: refused, or the same again after a round trip.
#include "framework/store/db/shard_range.h"

#include <apus/json.h>

#include <cstdlib>
#include <string_view>

#include "framework/store/db/account_broker.h"
#include "framework/store/db/object_row.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto dict = apus::Json::parse({reinterpret_cast<const char*>(data), size});
  if (!dict) return 0;
  (void)apus::ContainerRow::from_json(*dict);
  std::string why;
  const auto range = apus::ShardRange::from_json(*dict, why);
  if (!range) return 0;
  auto again = apus::ShardRange::from_json(range->to_json(), why);
  if (!again || again->timestamp != range->timestamp || again->upper != range->upper) std::abort();
  (void)apus::merge_shard_range(*again, *range);
  return 0;
}
