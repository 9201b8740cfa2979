// The lines of an SSYNC exchange: a hash is a hash, and what was read is written alike.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "framework/ssync/protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto offer = apus::ssync::decode_offer(text)) {
    if (!apus::ssync::is_hash(offer->hash)) std::abort();
    const auto again = apus::ssync::decode_offer(apus::ssync::encode_offer(*offer));
    if (!again || again->data != offer->data || again->meta != offer->meta) std::abort();
  }
  if (const auto want = apus::ssync::decode_want(text)) {
    if (!apus::ssync::is_hash(want->hash)) std::abort();
  }
  return 0;
}
