// Python pickles, as far as Swift's disks, databases and builder files hold them: plain data, no
// objects.
#pragma once

#include <apus/abi.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace apus::pickle {

struct Value;
using Ref = std::shared_ptr<Value>;  ///< shared where the pickle shares

struct None {};
/// Python 3 text, or Python 2 unicode: UTF-8 (lone surrogates as three bytes).
struct Text {
  std::string utf8;
};
/// Python 3 bytes.
struct Bytes {
  std::string raw;
};
/// A Python 2 str: bytes of an encoding the reader must know.
struct OldString {
  std::string raw;
};
struct List {
  std::vector<Ref> items;
};
struct APUS_API Tuple {
  std::vector<Ref> items;

  /// The string at that place; empty when there is none.
  [[nodiscard]] std::string text(std::size_t index) const;
  /// The number there, or the number that a string there spells; else 0.
  [[nodiscard]] std::int64_t number(std::size_t index) const;
};
struct Dict {
  std::vector<std::pair<Ref, Ref>> items;  ///< as written; a later equal key wins
};
/// array.array of integers; with ListsOfIntegers::kPacked also a list that has nothing else.
struct Array {
  char type_code = 'H';  ///< '\0' for a list
  std::vector<std::int64_t> items;
};

struct APUS_API Value {
  std::variant<None, bool, std::int64_t, double, Text, Bytes, OldString, List, Tuple, Dict, Array>
      data;
  /// How many levels lie below it, and whether another value holds it: the reader's own, which
  /// takes nothing that holds itself and ends at 64 levels.
  std::uint8_t levels = 0;
  bool held = false;

  /// The bytes of a Text, Bytes or OldString; null otherwise.
  [[nodiscard]] const std::string* string() const;
  [[nodiscard]] const Dict* dict() const { return std::get_if<Dict>(&data); }
  /// An int or a bool.
  [[nodiscard]] std::optional<std::int64_t> integer() const;
  /// A dict's value under a string key; null when absent.
  [[nodiscard]] const Value* find(std::string_view key) const;
};

/// kPacked: a list of nothing but integers is an Array, eight bytes an integer instead of a Value.
enum class ListsOfIntegers : std::uint8_t { kPlain, kPacked };

/// Reads protocols 0 to 4 without ever making anything but the types above. Known globals:
/// _codecs.encode, {copy_reg,copyreg}._reconstructor of a HeaderKeyDict,
/// {__builtin__,builtins}.{dict, bytes,list}, array.array, array._array_reconstructor. Swift's
/// RingData and RingBuilder, of old rings, become a dict of what they held. Null for anything else,
/// for damage, for more than 64 levels or a memo index that was never set. Linear in the input;
/// never allocates more than a small multiple of it.
APUS_API Ref parse(std::string_view text, ListsOfIntegers lists = ListsOfIntegers::kPlain);

/// Writes protocol 2 as Python 3 does, without memo (readers do not need it).
class APUS_API Writer {
 public:
  Writer();
  void begin_dict();  ///< then pairs of key and value
  void end_dict();
  void begin_tuple();
  void end_tuple();
  void begin_list();
  void end_list();
  void text(std::string_view utf8);
  void bytes(std::string_view raw);  ///< as _codecs.encode(text, 'latin1')
  void integer(std::int64_t value);
  void number(double value);
  void boolean(bool value);
  void none();
  /// array.array(type_code, values).
  template <typename Integer>
  void array(char type_code, const std::vector<Integer>& values) {
    begin_array(type_code);
    for (const Integer value : values) element(static_cast<std::uint32_t>(value));
    end_array();
  }
  /// Keeps what was written last (a text, a finished tuple, list or dict) for `recall`.
  std::uint32_t remember();
  void recall(std::uint32_t memo);
  /// The finished pickle; the writer is empty afterwards.
  std::string finish();

 private:
  void begin_array(char type_code);
  void element(std::uint32_t value);
  void end_array();

  std::string out_;
  bool has_codec_ = false;
  std::uint32_t memos_ = 2;  ///< the first two are the codec's
  std::optional<std::uint32_t> array_memo_;
  std::size_t elements_ = 0;
};

/// UTF-8 of the bytes seen as latin-1: what the pickled payload of bytes is, and one of Swift's
/// layers.
APUS_API std::string latin1_to_utf8(std::string_view bytes);
/// The reverse; nothing when a code point is above 0xff or the text is not UTF-8.
APUS_API std::optional<std::string> utf8_to_latin1(std::string_view utf8);

}  // namespace apus::pickle
