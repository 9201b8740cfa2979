// Timestamps and dates of HTTP: what is taken reads back as the same moment.
#include <apus/timestamp.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace apus;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto stamp = Timestamp::parse(text)) {
    if (Timestamp::parse(stamp->internal()) != stamp) std::abort();
  }
  if (const auto triple = decode_timestamps(text)) {
    const auto again = decode_timestamps(
        encode_timestamps(triple->data, triple->content_type, triple->meta, true));
    if (!again || again->meta != triple->meta || again->data != triple->data) std::abort();
  }
  const auto when = parse_http_date(text);
  if (when && *when >= 0 && *when < 253402300800 && parse_http_date(http_date(*when)) != when)
    std::abort();
  return 0;
}
