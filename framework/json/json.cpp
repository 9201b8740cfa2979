#include <apus/json.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace apus {
namespace {

constexpr int kMaxDepth = 100;

// The parser's events, handed on; false ends the parse.
class Events {
 public:
  explicit Events(JsonHandler& to) : to_(to) {}
  bool StartObject() {
    if (++depth_ > kMaxDepth) return false;
    to_.begin_object();
    return true;
  }
  bool EndObject(rapidjson::SizeType) {
    --depth_;
    to_.end_object();
    return true;
  }
  bool StartArray() {
    if (++depth_ > kMaxDepth) return false;
    to_.begin_array();
    return true;
  }
  bool EndArray(rapidjson::SizeType) {
    --depth_;
    to_.end_array();
    return true;
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    to_.key({text, size});
    return true;
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    to_.text({text, size});
    return true;
  }
  // The grammar was looked at; RapidJSON's own conversion is either inexact or undefined for zeros.
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    const char* end = text + size;
    std::int64_t whole = 0;
    if (const auto read = std::from_chars(text, end, whole);
        read.ec == std::errc() && read.ptr == end) {
      to_.integer(whole);
      return true;
    }
    double number = 0;
    if (std::from_chars(text, end, number).ec == std::errc::result_out_of_range)
      number = std::strtod(std::string(text, size).c_str(), nullptr);
    return std::isfinite(number) && other(Json(number));
  }
  bool Null() { return other(Json()); }
  bool Bool(bool flag) { return other(Json(flag)); }
  // Never called: numbers come raw.
  bool Double(double) { return false; }
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }

 private:
  bool other(const Json& value) {
    to_.other(value);
    return true;
  }

  JsonHandler& to_;
  int depth_ = 0;
};

// Builds the tree.
class Builder final : public JsonHandler {
 public:
  void begin_object() override { stack_.emplace_back(Json::Object{}); }
  void end_object() override { close(); }
  void begin_array() override { stack_.emplace_back(Json::Array{}); }
  void end_array() override { close(); }
  void key(std::string_view name) override { keys_.emplace_back(name); }
  void text(std::string_view value) override { put(Json(std::string(value))); }
  void integer(std::int64_t value) override { put(Json(value)); }
  void other(const Json& value) override { put(value); }
  Json take() { return std::move(root_); }

 private:
  void close() {
    Json done = std::move(stack_.back());
    stack_.pop_back();
    put(std::move(done));
  }
  void put(Json value) {
    if (stack_.empty()) {
      root_ = std::move(value);
    } else if (stack_.back().array() != nullptr) {
      const_cast<Json::Array*>(stack_.back().array())->push_back(std::move(value));
    } else {
      const_cast<Json::Object*>(stack_.back().object())
          ->emplace_back(std::move(keys_.back()), std::move(value));
      keys_.pop_back();
    }
  }

  std::vector<Json> stack_;
  std::vector<std::string> keys_;
  Json root_;
};

void append_escape(std::string& out, unsigned unit) {
  std::array<char, 8> text;
  std::snprintf(text.data(), text.size(), "\\u%04x", unit & 0xFFFFU);
  out += text.data();
}

// One code point from the front of `text`; a malformed byte is U+FFFD.
unsigned take_code_point(std::string_view& text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  std::size_t length = 1;
  unsigned code = 0xFFFD;
  if (first < 0x80) {
    code = first;
  } else if (first >= 0xC2 && first <= 0xDF && tail(1)) {
    length = 2;
    code = (first & 0x1FU) << 6U | (byte(1) & 0x3FU);
  } else if (first >= 0xE0 && first <= 0xEF && tail(1) && tail(2)) {
    length = 3;
    code = (first & 0xFU) << 12U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU);
    if (code < 0x800 || (code >= 0xD800 && code < 0xE000)) code = 0xFFFD;
  } else if (first >= 0xF0 && first <= 0xF4 && tail(1) && tail(2) && tail(3)) {
    length = 4;
    code = (first & 7U) << 18U | (byte(1) & 0x3FU) << 12U | (byte(2) & 0x3FU) << 6U |
           (byte(3) & 0x3FU);
    if (code < 0x10000 || code > 0x10FFFF) code = 0xFFFD;
  }
  text.remove_prefix(length);
  return code;
}

void append_special(std::string& out, std::string_view& text) {
  const unsigned code = take_code_point(text);
  switch (code) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    default:
      break;
  }
  if (code >= 0x10000) {
    append_escape(out, 0xD800U + ((code - 0x10000U) >> 10U));
    append_escape(out, 0xDC00U + ((code - 0x10000U) & 0x3FFU));
  } else {
    append_escape(out, code);
  }
}

bool is_plain(char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; }

void append_number(std::string& out, double value) {
  std::array<char, 40> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  const std::string_view shown(text.data(), static_cast<std::size_t>(end - text.data()));
  out += shown;
  if (shown.find_first_of(".en") == std::string_view::npos) out += ".0";
}

void dump_to(std::string& out, const Json& value, bool compact, bool sorted) {
  const char* comma = compact ? "," : ", ";
  if (const auto* text = value.text()) {
    append_json_string(out, *text);
  } else if (const auto* flag = value.boolean()) {
    out += *flag ? "true" : "false";
  } else if (const auto* integer = value.integer()) {
    out += std::to_string(*integer);
  } else if (const auto* array = value.array()) {
    out += '[';
    for (const Json& item : *array) {
      if (&item != &array->front()) out += comma;
      dump_to(out, item, compact, sorted);
    }
    out += ']';
  } else if (const auto* object = value.object()) {
    std::vector<const std::pair<std::string, Json>*> members;
    for (const auto& member : *object) members.push_back(&member);
    if (sorted) {
      std::stable_sort(members.begin(), members.end(),
                       [](const auto* a, const auto* b) { return a->first < b->first; });
    }
    out += '{';
    for (const auto* member : members) {
      if (member != members.front()) out += comma;
      append_json_string(out, member->first);
      out += compact ? ":" : ": ";
      dump_to(out, member->second, compact, sorted);
    }
    out += '}';
  } else if (const auto number = value.number()) {
    append_number(out, *number);
  } else {
    out += "null";
  }
}

}  // namespace

JsonHandler::~JsonHandler() = default;

Json::Json() : value_(nullptr) {}
Json::Json(std::nullptr_t) : value_(nullptr) {}
Json::Json(bool value) : value_(value) {}
Json::Json(int value) : value_(static_cast<std::int64_t>(value)) {}
Json::Json(std::int64_t value) : value_(value) {}
Json::Json(double value) : value_(value) {}
Json::Json(std::string value) : value_(std::move(value)) {}
Json::Json(const char* value) : value_(std::string(value)) {}
Json::Json(Array value) : value_(std::move(value)) {}
Json::Json(Object value) : value_(std::move(value)) {}
Json::Json(const Json&) = default;
Json::Json(Json&&) noexcept = default;
Json& Json::operator=(const Json&) = default;
Json& Json::operator=(Json&&) noexcept = default;
Json::~Json() = default;

std::optional<Json> Json::parse(std::string_view text, std::size_t max_size) {
  if (text.size() > max_size) return std::nullopt;
  Builder builder;
  if (!read_json(text, builder)) return std::nullopt;
  return builder.take();
}

bool Json::is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }
const bool* Json::boolean() const { return std::get_if<bool>(&value_); }
const std::int64_t* Json::integer() const { return std::get_if<std::int64_t>(&value_); }
const std::string* Json::text() const { return std::get_if<std::string>(&value_); }
const Json::Array* Json::array() const { return std::get_if<Array>(&value_); }
const Json::Object* Json::object() const { return std::get_if<Object>(&value_); }

std::optional<double> Json::number() const {
  if (const auto* whole = integer()) return static_cast<double>(*whole);
  if (const auto* part = std::get_if<double>(&value_)) return *part;
  return std::nullopt;
}

const Json* Json::find(std::string_view name) const {
  const Object* members = object();
  if (members == nullptr) return nullptr;
  const auto at = std::find_if(members->rbegin(), members->rend(),
                               [&](const auto& member) { return member.first == name; });
  return at == members->rend() ? nullptr : &at->second;
}

std::string Json::text_at(std::string_view name) const {
  const Json* value = find(name);
  return value != nullptr && value->text() != nullptr ? *value->text() : std::string();
}

std::int64_t Json::integer_at(std::string_view name, std::int64_t otherwise) const {
  const Json* value = find(name);
  return value != nullptr && value->integer() != nullptr ? *value->integer() : otherwise;
}

void Json::set(std::string_view name, Json value) {
  if (object() == nullptr) value_ = Object{};
  auto& members = std::get<Object>(value_);
  for (auto& [key, old] : members) {
    if (key == name) {
      old = std::move(value);
      return;
    }
  }
  members.emplace_back(name, std::move(value));
}

std::string Json::dump(bool compact, bool sorted) const {
  std::string out;
  dump_to(out, *this, compact, sorted);
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const auto special = std::find_if_not(text.begin(), text.end(), is_plain);
    const auto plain = static_cast<std::size_t>(special - text.begin());
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (!text.empty()) append_special(out, text);
  }
  out += '"';
}

bool read_json(std::string_view text, JsonHandler& handler) {
  rapidjson::MemoryStream in(text.data(), text.size());
  rapidjson::Reader reader;
  Events events(handler);
  reader.Parse<rapidjson::kParseNumbersAsStringsFlag>(in, events);
  // A NUL byte looks like the end to the parser.
  return !reader.HasParseError() && in.Tell() == text.size();
}

}  // namespace apus
