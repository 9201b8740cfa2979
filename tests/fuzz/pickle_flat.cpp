// The reader of flat pickles: what it takes, the general reader takes too, with the same values.
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

#include "framework/pickle/flat_dict.h"
#include "framework/pickle/pickle.h"

using namespace apus::pickle;

namespace {

bool same(const FlatValue& flat, const Value& value) {
  if (flat.kind == FlatKind::kNone) return std::holds_alternative<None>(value.data);
  if (flat.kind == FlatKind::kBool) {
    const bool* truth = std::get_if<bool>(&value.data);
    return truth != nullptr && *truth == (flat.number != 0);
  }
  if (flat.kind == FlatKind::kFloat) {
    const double* number = std::get_if<double>(&value.data);
    return number != nullptr &&
           std::bit_cast<std::uint64_t>(*number) == std::bit_cast<std::uint64_t>(flat.number);
  }
  const auto* text = value.string();
  if (text == nullptr) return false;
  if (flat.kind == FlatKind::kText) return *text == flat.utf8;
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
