// Manifests of large objects, as put and as stored. What was read is written and read again.
#include <apus/slo_manifest.h>

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::string errors;
  const auto entries = apus::parse_slo_put(text, "/v1/a/c/o", errors);
  if (entries.has_value() == !errors.empty()) __builtin_trap();
  if (const auto segments = apus::parse_slo_manifest(text)) {
    apus::to_raw_json(*segments);
    const auto again = apus::parse_slo_manifest(apus::to_json(*segments));
    if (!again || again->size() != segments->size()) __builtin_trap();
    if (apus::slo_etag(*again) != apus::slo_etag(*segments)) __builtin_trap();
  }
  return 0;
}
