#include <apus/text.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <unordered_map>

#include "framework/pickle/pickle.h"

namespace apus::pickle {
namespace {

constexpr std::size_t kMaxItems = 1U << 26U;
constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxVisits = 1U << 24U;

struct Malformed {};

// What lies on the machine's stack: a value, a mark, or a known global that waits to be called.
enum class Kind : std::uint8_t {
  kValue,
  kMark,
  kEncode,
  kReconstructor,
  kHeaderDict,
  kDict,
  kBytes,
  kList,
  kArray,
  kArrayMaker,
  kObject,  ///< a class whose instances become dicts
  kInteger  ///< a value that is only made when something needs it
};
struct Item {
  Kind kind = Kind::kValue;
  Ref value;
  std::int64_t integer = 0;
};

Ref make(decltype(Value::data) data) { return std::make_shared<Value>(Value{std::move(data)}); }

// A value that lies in another one is complete: Python writes it so, but for values that hold
// themselves. Neither those nor deep ones come into being, since shared pointers would never, or
// not without a deep stack, let go of them.
void hold(Value& holder, Value& item) {
  if (item.levels >= kMaxDepth) throw Malformed();
  item.held = true;
  holder.levels = std::max(holder.levels, static_cast<std::uint8_t>(item.levels + 1));
}

template <typename Sequence>
Ref make_of(std::vector<Ref>&& items) {
  Ref out = make(Sequence{});
  for (const Ref& item : items) hold(*out, *item);
  std::get<Sequence>(out->data).items = std::move(items);
  return out;
}

class Machine {
 public:
  Machine(std::string_view text, ListsOfIntegers lists)
      : in_(text), packed_(lists == ListsOfIntegers::kPacked) {}

  Ref run() {
    while (true) {
      const char op = take(1)[0];
      if (op == '.') break;
      step(op);
      if (stack_.size() + made_ > kMaxItems) throw Malformed();
    }
    if (stack_.size() != 1) throw Malformed();
    Ref out = pop_value();
    std::size_t visits = 0;  // shared values are seen once for each way to them
    if (depth(*out, 0, visits) > kMaxDepth) throw Malformed();
    return out;
  }

 private:
  static std::size_t depth(const Value& value, std::size_t level, std::size_t& visits) {
    if (level > kMaxDepth) return level;
    if (++visits > kMaxVisits) throw Malformed();
    std::size_t deepest = level;
    const auto look = [&](const Ref& item) {
      deepest = std::max(deepest, depth(*item, level + 1, visits));
    };
    if (const auto* list = std::get_if<List>(&value.data)) {
      for (const Ref& item : list->items) look(item);
    } else if (const auto* tuple = std::get_if<Tuple>(&value.data)) {
      for (const Ref& item : tuple->items) look(item);
    } else if (const auto* dict = value.dict()) {
      for (const auto& [key, item] : dict->items) {
        look(key);
        look(item);
      }
    }
    return deepest;
  }

  std::string_view take(std::size_t count) {
    if (count > in_.size()) throw Malformed();
    const std::string_view out = in_.substr(0, count);
    in_.remove_prefix(count);
    return out;
  }
  std::string_view line() {
    const std::size_t end = in_.find('\n');
    if (end == std::string_view::npos) throw Malformed();
    const std::string_view out = in_.substr(0, end);
    in_.remove_prefix(end + 1);
    return out;
  }
  std::uint64_t little(std::size_t bytes) {
    const std::string_view raw = take(bytes);
    std::uint64_t value = 0;
    for (std::size_t i = bytes; i-- > 0;) value = value << 8U | static_cast<unsigned char>(raw[i]);
    return value;
  }

  void push(Ref value) {
    ++made_;
    stack_.push_back({Kind::kValue, std::move(value), 0});
  }
  void push_integer(std::int64_t value) {
    if (!packed_) return push(make(value));
    stack_.push_back({Kind::kInteger, nullptr, value});
  }
  Item settled(Item item) {
    if (item.kind != Kind::kInteger) return item;
    ++made_;
    return {Kind::kValue, make(item.integer), 0};
  }
  Item pop() {
    if (stack_.empty() || stack_.back().kind == Kind::kMark) throw Malformed();
    Item out = settled(std::move(stack_.back()));
    stack_.pop_back();
    return out;
  }
  Ref pop_value() {
    Item item = pop();
    if (item.kind != Kind::kValue) throw Malformed();
    return item.value;
  }
  Value& top() {
    if (stack_.empty() || stack_.back().kind != Kind::kValue) throw Malformed();
    return *stack_.back().value;
  }
  std::vector<Ref> pop_to_mark() {
    std::vector<Ref> out;
    while (!stack_.empty() && stack_.back().kind != Kind::kMark) {
      if (stack_.back().kind == Kind::kInteger) {
        out.push_back(settled(std::move(stack_.back())).value);
      } else if (stack_.back().kind != Kind::kValue) {
        // Types as arguments of a reconstructor say nothing that is kept.
        out.push_back(make(None{}));
      } else {
        out.push_back(std::move(stack_.back().value));
      }
      stack_.pop_back();
    }
    if (stack_.empty()) throw Malformed();
    stack_.pop_back();
    std::reverse(out.begin(), out.end());
    return out;
  }

  void step(char op);
  void step_text(char op);
  void step_number(char op);
  void step_container(char op);
  void step_memo(char op);
  void global(std::string_view module, std::string_view name);
  void reduce();
  void set_items(std::vector<Ref> items);
  void set_state(const Ref& state);
  void append_items(std::vector<Ref> items);
  bool append_packed(bool marked);
  void unpack_top();
  Ref call_encode(const std::vector<Ref>& arguments);
  Ref call_array(const std::vector<Ref>& arguments, bool reconstructor);

  std::string_view in_;
  std::vector<Item> stack_;
  std::unordered_map<std::uint64_t, Item> memo_;
  std::size_t made_ = 0;
  bool packed_;
};

std::int64_t parse_decimal(std::string_view text) {
  if (text.ends_with('L')) text.remove_suffix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) throw Malformed();
  return value;
}

void append_code_point(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0U | code >> 6U);
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0U | code >> 12U);
    out += static_cast<char>(0x80U | (code >> 6U & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | code >> 18U);
    out += static_cast<char>(0x80U | (code >> 12U & 0x3FU));
    out += static_cast<char>(0x80U | (code >> 6U & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  }
}

std::uint32_t hex_digits(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size() || value > 0x10FFFF)
    throw Malformed();
  return value;
}

// Protocol 0 text: latin-1 with \uXXXX and \UXXXXXXXX.
std::string raw_unicode(std::string_view line) {
  std::string out;
  while (!line.empty()) {
    const bool small = line.starts_with("\\u") && line.size() >= 6;
    const bool large = line.starts_with("\\U") && line.size() >= 10;
    if (small || large) {
      const std::size_t digits = small ? 4 : 8;
      append_code_point(out, hex_digits(line.substr(2, digits)));
      line.remove_prefix(2 + digits);
    } else {
      append_code_point(out, static_cast<unsigned char>(line.front()));
      line.remove_prefix(1);
    }
  }
  return out;
}

// Protocol 0 str: a Python literal with quotes and escapes.
std::string quoted(std::string_view line) {
  if (line.size() < 2 || (line.front() != '\'' && line.front() != '"') ||
      line.back() != line.front()) {
    throw Malformed();
  }
  line = line.substr(1, line.size() - 2);
  std::string out;
  while (!line.empty()) {
    if (line.front() != '\\') {
      out += line.front();
      line.remove_prefix(1);
      continue;
    }
    if (line.size() < 2) throw Malformed();
    std::size_t used = 2;
    switch (line[1]) {
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case 'x':
        if (line.size() < 4) throw Malformed();
        out += static_cast<char>(hex_digits(line.substr(2, 2)));
        used = 4;
        break;
      default:
        out += line[1];
    }
    line.remove_prefix(used);
  }
  return out;
}

void Machine::step(char op) {
  switch (op) {
    case '\x80':
      if (take(1)[0] > 5) throw Malformed();
      return;
    case '\x95':
      take(8);
      return;
    case '(':
      stack_.push_back({Kind::kMark, nullptr, 0});
      return;
    case '0':
      pop();
      return;
    case '2':
      if (stack_.empty()) throw Malformed();
      stack_.back() = settled(std::move(stack_.back()));
      stack_.push_back(Item(stack_.back()));
      return;
    case 'N':
      return push(make(None{}));
    case '\x88':
      return push(make(true));
    case '\x89':
      return push(make(false));
    case 'c': {
      const std::string_view module = line();
      return global(module, line());
    }
    case '\x93': {
      const Ref name = pop_value();
      const Ref module = pop_value();
      if (name->string() == nullptr || module->string() == nullptr) throw Malformed();
      return global(*module->string(), *name->string());
    }
    case 'R':
    case '\x81':
      return reduce();
    case 'b':
      return set_state(pop_value());
    default:
      break;
  }
  static constexpr std::string_view kTexts = "VXUTSCB\x8c\x8d\x8e";
  static constexpr std::string_view kNumbers = "IJKLMFG\x8a\x8b";
  static constexpr std::string_view kMemo = "pqrghj\x94";
  if (kTexts.find(op) != std::string_view::npos) return step_text(op);
  if (kNumbers.find(op) != std::string_view::npos) return step_number(op);
  if (kMemo.find(op) != std::string_view::npos) return step_memo(op);
  step_container(op);
}

void Machine::step_text(char op) {
  switch (op) {
    case 'V':
      return push(make(Text{raw_unicode(line())}));
    case 'X':
      return push(make(Text{std::string(take(little(4)))}));
    case '\x8c':
      return push(make(Text{std::string(take(little(1)))}));
    case '\x8d':
      return push(make(Text{std::string(take(little(8)))}));
    case 'U':
      return push(make(OldString{std::string(take(little(1)))}));
    case 'T':
      return push(make(OldString{std::string(take(little(4)))}));
    case 'S':
      return push(make(OldString{quoted(line())}));
    case 'C':
      return push(make(Bytes{std::string(take(little(1)))}));
    case 'B':
      return push(make(Bytes{std::string(take(little(4)))}));
    default:
      return push(make(Bytes{std::string(take(little(8)))}));
  }
}

void Machine::step_number(char op) {
  switch (op) {
    case 'I': {
      const std::string_view text = line();
      if (text == "01") return push(make(true));
      if (text == "00") return push(make(false));
      return push_integer(parse_decimal(text));
    }
    case 'L':
      return push_integer(parse_decimal(line()));
    case 'J':
      return push_integer(static_cast<std::int32_t>(little(4)));
    case 'K':
      return push_integer(static_cast<std::int64_t>(little(1)));
    case 'M':
      return push_integer(static_cast<std::int64_t>(little(2)));
    case 'F': {
      const std::string_view text = line();
      double value = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (error != std::errc() || end != text.data() + text.size()) throw Malformed();
      return push(make(value));
    }
    case 'G': {
      std::uint64_t bits = 0;
      for (const char c : take(8)) bits = bits << 8U | static_cast<unsigned char>(c);
      return push(make(std::bit_cast<double>(bits)));
    }
    default: {
      const std::size_t size = little(op == '\x8a' ? 1 : 4);
      if (size > 8) throw Malformed();
      std::uint64_t value = little(size);
      if (size > 0 && size < 8 && (value >> (size * 8 - 1) & 1U) != 0) value |= ~0ULL << (size * 8);
      return push_integer(static_cast<std::int64_t>(value));
    }
  }
}

void Machine::step_memo(char op) {
  switch (op) {
    case 'p':
    case 'q':
    case 'r':
    case '\x94': {
      std::uint64_t index = memo_.size();
      if (op == 'p') index = static_cast<std::uint64_t>(parse_decimal(line()));
      if (op == 'q') index = little(1);
      if (op == 'r') index = little(4);
      if (stack_.empty() || stack_.back().kind == Kind::kMark) throw Malformed();
      stack_.back() = settled(std::move(stack_.back()));
      memo_[index] = stack_.back();
      return;
    }
    default: {
      std::uint64_t index = 0;
      if (op == 'g') index = static_cast<std::uint64_t>(parse_decimal(line()));
      if (op == 'h') index = little(1);
      if (op == 'j') index = little(4);
      const auto found = memo_.find(index);
      if (found == memo_.end()) throw Malformed();
      stack_.push_back(found->second);
    }
  }
}

void Machine::step_container(char op) {
  switch (op) {
    case '}':
      return push(make(Dict{}));
    case ']':
      return push(make(List{}));
    case ')':
      return push(make(Tuple{}));
    case 'd': {
      std::vector<Ref> items = pop_to_mark();
      push(make(Dict{}));
      return set_items(std::move(items));
    }
    case 'l':
      return push(make_of<List>(pop_to_mark()));
    case 't':
      return push(make_of<Tuple>(pop_to_mark()));
    case '\x85':
    case '\x86':
    case '\x87': {
      std::vector<Ref> items;
      for (int i = op - '\x85'; i >= 0; --i) {
        Item item = pop();
        items.push_back(item.kind == Kind::kValue ? item.value : make(None{}));
      }
      std::reverse(items.begin(), items.end());
      return push(make_of<Tuple>(std::move(items)));
    }
    case 's': {
      Ref value = pop_value();
      Ref key = pop_value();
      return set_items({std::move(key), std::move(value)});
    }
    case 'u':
      return set_items(pop_to_mark());
    case 'a':
      if (packed_ && append_packed(false)) return;
      return append_items({pop_value()});
    case 'e':
      if (packed_ && append_packed(true)) return;
      return append_items(pop_to_mark());
    default:
      throw Malformed();
  }
}

void Machine::set_items(std::vector<Ref> items) {
  auto* dict = std::get_if<Dict>(&top().data);
  if (dict == nullptr || top().held || items.size() % 2 != 0) throw Malformed();
  for (std::size_t i = 0; i < items.size(); i += 2) {
    if (items[i] == stack_.back().value || items[i + 1] == stack_.back().value) throw Malformed();
    hold(top(), *items[i]);
    hold(top(), *items[i + 1]);
    dict->items.emplace_back(std::move(items[i]), std::move(items[i + 1]));
  }
}

// The attributes of an instance. A HeaderKeyDict has none.
void Machine::set_state(const Ref& state) {
  const Dict* attributes = state->dict();
  if (attributes == nullptr) return;
  std::vector<Ref> items;
  for (const auto& [name, value] : attributes->items) {
    items.push_back(name);
    items.push_back(value);
  }
  set_items(std::move(items));
}

// Integers (up to the mark, or one) go straight into a list that has only integers. False, and
// nothing done, when they are something else.
bool Machine::append_packed(bool marked) {
  std::size_t first = stack_.size();
  while (first > 0 && stack_[first - 1].kind == Kind::kInteger &&
         (marked || first == stack_.size()))
    --first;
  if (first == stack_.size() || first < (marked ? 2 : 1)) return false;
  if (marked && stack_[first - 1].kind != Kind::kMark) return false;
  const std::size_t keep = marked ? first - 1 : first;
  const Item& target = stack_[keep - 1];
  if (target.kind != Kind::kValue || target.value->held) return false;
  auto& data = target.value->data;
  if (const auto* list = std::get_if<List>(&data); list != nullptr && list->items.empty())
    data = Array{'\0', {}};
  auto* array = std::get_if<Array>(&data);
  if (array == nullptr || array->type_code != '\0') return false;
  for (std::size_t i = first; i < stack_.size(); ++i) array->items.push_back(stack_[i].integer);
  stack_.resize(keep);
  return true;
}

void Machine::unpack_top() {
  auto* array = std::get_if<Array>(&top().data);
  if (array == nullptr || array->type_code != '\0') return;
  List list;
  for (const std::int64_t value : array->items) list.items.push_back(make(value));
  made_ += list.items.size();
  top().levels = 1;
  top().data = std::move(list);
}

void Machine::append_items(std::vector<Ref> items) {
  if (!top().held) unpack_top();
  auto* list = std::get_if<List>(&top().data);
  if (list == nullptr || top().held) throw Malformed();
  for (Ref& item : items) {
    if (item == stack_.back().value) throw Malformed();
    hold(top(), *item);
    list->items.push_back(std::move(item));
  }
}

void Machine::global(std::string_view module, std::string_view name) {
  const auto push_kind = [&](Kind kind) { stack_.push_back({kind, nullptr, 0}); };
  const bool builtin = module == "__builtin__" || module == "builtins";
  if (module == "_codecs" && name == "encode") return push_kind(Kind::kEncode);
  if ((module == "copy_reg" || module == "copyreg") && name == "_reconstructor") {
    return push_kind(Kind::kReconstructor);
  }
  if (module == "swift.common.header_key_dict" && name == "HeaderKeyDict")
    return push_kind(Kind::kHeaderDict);
  const bool ring = module.starts_with("swift.common.ring");
  if ((ring && (name == "RingData" || name == "RingBuilder")) || (builtin && name == "object"))
    return push_kind(Kind::kObject);
  if (builtin && name == "dict") return push_kind(Kind::kDict);
  if (builtin && name == "bytes") return push_kind(Kind::kBytes);
  if (builtin && name == "list") return push_kind(Kind::kList);
  if (module == "array" && name == "array") return push_kind(Kind::kArray);
  if (module == "array" && name == "_array_reconstructor") return push_kind(Kind::kArrayMaker);
  throw Malformed();
}

void Machine::reduce() {
  const Ref arguments = pop_value();
  const auto* tuple = std::get_if<Tuple>(&arguments->data);
  if (tuple == nullptr) throw Malformed();
  const Kind kind = pop().kind;
  switch (kind) {
    case Kind::kEncode:
      return push(call_encode(tuple->items));
    case Kind::kBytes:
      if (!tuple->items.empty()) throw Malformed();
      return push(make(Bytes{}));
    case Kind::kList:
      return push(make(List{}));
    case Kind::kDict:
    case Kind::kHeaderDict:
    case Kind::kObject:
      return push(make(Dict{}));
    case Kind::kReconstructor: {
      // (class, base, state): the state is the dict.
      if (tuple->items.size() != 3) throw Malformed();
      const Ref out = make(Dict{});
      if (const auto* dict = tuple->items[2]->dict()) {
        out->data = *dict;
        out->levels = tuple->items[2]->levels;
      }
      return push(out);
    }
    case Kind::kArray:
      return push(call_array(tuple->items, false));
    case Kind::kArrayMaker:
      return push(call_array(tuple->items, true));
    default:
      throw Malformed();
  }
}

Ref Machine::call_encode(const std::vector<Ref>& arguments) {
  if (arguments.empty() || arguments.size() > 2) throw Malformed();
  const auto* text = std::get_if<Text>(&arguments[0]->data);
  if (text == nullptr) throw Malformed();
  auto raw = utf8_to_latin1(text->utf8);
  if (!raw) throw Malformed();
  return make(Bytes{std::move(*raw)});
}

Ref Machine::call_array(const std::vector<Ref>& arguments, bool reconstructor) {
  // array(typecode, list) or _array_reconstructor(array, typecode, format, bytes).
  Array out;
  const std::size_t code_at = reconstructor ? 1 : 0;
  if (arguments.size() <= code_at || arguments[code_at]->string() == nullptr ||
      arguments[code_at]->string()->size() != 1) {
    throw Malformed();
  }
  out.type_code = arguments[code_at]->string()->front();
  if (!reconstructor) {
    if (arguments.size() == 2) {
      if (auto* packed = std::get_if<Array>(&arguments[1]->data);
          packed != nullptr && packed->type_code == '\0') {
        // The list is the array's alone, unless the memo has it: then nobody asks for it again.
        out.items = std::move(packed->items);
        return make(std::move(out));
      }
      const auto* list = std::get_if<List>(&arguments[1]->data);
      if (list == nullptr) throw Malformed();
      for (const Ref& item : list->items) {
        const auto value = item->integer();
        if (!value) throw Malformed();
        out.items.push_back(*value);
      }
    }
    return make(std::move(out));
  }
  if (arguments.size() != 4 || arguments[3]->string() == nullptr) throw Malformed();
  const std::size_t width = out.type_code == 'B'   ? 1
                            : out.type_code == 'H' ? 2
                            : out.type_code == 'I' ? 4
                                                   : 0;
  const std::string& raw = *arguments[3]->string();
  if (width == 0 || raw.size() % width != 0) throw Malformed();
  for (std::size_t at = 0; at < raw.size(); at += width) {
    std::int64_t value = 0;
    for (std::size_t i = width; i-- > 0;)
      value = value << 8 | static_cast<unsigned char>(raw[at + i]);
    out.items.push_back(value);
  }
  return make(std::move(out));
}

}  // namespace

std::string Tuple::text(std::size_t index) const {
  const std::string* text = index < items.size() ? items[index]->string() : nullptr;
  return text != nullptr ? *text : "";
}

std::int64_t Tuple::number(std::size_t index) const {
  if (index >= items.size()) return 0;
  if (const auto number = items[index]->integer()) return *number;
  return parse_int(text(index)).value_or(0);
}

const std::string* Value::string() const {
  if (const auto* text = std::get_if<Text>(&data)) return &text->utf8;
  if (const auto* bytes = std::get_if<Bytes>(&data)) return &bytes->raw;
  if (const auto* old = std::get_if<OldString>(&data)) return &old->raw;
  return nullptr;
}

std::optional<std::int64_t> Value::integer() const {
  if (const auto* value = std::get_if<std::int64_t>(&data)) return *value;
  if (const auto* flag = std::get_if<bool>(&data)) return *flag ? 1 : 0;
  return std::nullopt;
}

const Value* Value::find(std::string_view key) const {
  const Dict* members = dict();
  if (members == nullptr) return nullptr;
  for (auto at = members->items.rbegin(); at != members->items.rend(); ++at) {
    const std::string* name = at->first->string();
    if (name != nullptr && *name == key) return at->second.get();
  }
  return nullptr;
}

Ref parse(std::string_view text, ListsOfIntegers lists) {
  try {
    return Machine(text, lists).run();
  } catch (const Malformed&) {
    return nullptr;
  }
}

}  // namespace apus::pickle
