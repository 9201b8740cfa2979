// An object's metadata and queued updates: what can be read can be written and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "framework/store/object/async_pending.h"
#include "framework/store/object/metadata.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto metadata = apus::decode_metadata(text)) {
    const auto again = apus::decode_metadata(apus::encode_metadata(*metadata));
    if (!again || again->size() != metadata->size()) std::abort();
  }
  if (const auto update = apus::AsyncPending::decode(text)) {
    const auto again = apus::AsyncPending::decode(update->encode());
    if (!again || again->object != update->object) std::abort();
  }
  return 0;
}
