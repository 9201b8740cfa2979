// The reader of flat pickles: what it takes, the general reader takes too, with the same strings.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "framework/pickle/flat_dict.h"
#include "framework/pickle/pickle.h"

using namespace apus::pickle;

namespace {

bool same(const FlatString& flat, const Value& value) {
  const auto* text = value.string();
  if (text == nullptr) return false;
  if (!flat.is_bytes) return *text == flat.utf8;
  const auto bytes = utf8_to_latin1(flat.utf8);
  return bytes && *bytes == *text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto flat = parse_flat(bytes);
  const Ref tree = parse(bytes);
  if (!flat || tree == nullptr) return 0;
  const Dict* dict = tree->dict();
  if (dict == nullptr || dict->items.size() != flat->size()) std::abort();
  for (std::size_t i = 0; i < flat->size(); ++i) {
    if (!same((*flat)[i].first, *dict->items[i].first) ||
        !same((*flat)[i].second, *dict->items[i].second)) {
      std::abort();
    }
  }
  return 0;
}
