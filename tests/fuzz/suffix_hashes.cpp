// hashes.pkl and the answer to REPLICATE: nothing but suffixes comes out.
#include "framework/store/object/suffix_hashes.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const apus::SuffixHashes hashes = apus::decode_hashes(text);
  std::string before;
  for (const apus::SuffixMap::Entry& entry : hashes.suffixes) {
    if (!apus::is_suffix(entry.suffix()) || entry.suffix() <= before) std::abort();
    before = entry.suffix();
  }
  const auto answer = apus::decode_suffixes(text);
  if (answer && apus::decode_suffixes(apus::encode_suffixes(*answer)) != answer) std::abort();
  return 0;
}
