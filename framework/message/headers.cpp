#include <apus/headers.h>

#include <algorithm>
#include <array>

namespace apus {
namespace {

// How many fields most requests and answers have at least.
constexpr std::size_t kUsual = 8;

constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

constexpr std::array<std::string_view, 5> kInternalPrefixes = {
    "x-backend", "x-account-sysmeta-", "x-container-sysmeta-", "x-object-sysmeta-",
    "x-object-transient-sysmeta-"};
constexpr std::array<std::string_view, 11> kInternalNames = {
    "x-account-host",        "x-account-device",         "x-account-partition",
    "x-container-host",      "x-container-device",       "x-container-partition",
    "x-delete-at-host",      "x-delete-at-device",       "x-delete-at-partition",
    "x-delete-at-container", "x-container-root-db-state"};

template <typename Value, typename Function>
constexpr std::array<Value, 256> make_table(Function function) {
  std::array<Value, 256> table{};
  for (unsigned c = 0; c < 256; ++c) table[c] = function(static_cast<char>(c));
  return table;
}
// How a byte is spelled at the start of a word and within one: behind no letter, and behind one.
constexpr std::array kSpelling = {
    make_table<char>([](char c) { return c == '_' ? '-' : to_upper(c); }),
    make_table<char>([](char c) { return c == '_' ? '-' : to_lower(c); })};
constexpr auto kIsLetter = make_table<bool>(is_letter);

}  // namespace

std::string title_case(std::string_view name) {
  std::string out(name);
  bool behind_letter = false;  // of the name as it came: no byte waits for what became of the last
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    out[i] = kSpelling[behind_letter ? 1 : 0][c];
    behind_letter = kIsLetter[c];
  }
  return out;
}

// From the back: fields of one request share their first bytes.
bool same_letters(const char* a, const char* b, std::size_t size) {
  for (std::size_t i = size; i-- > 0;) {
    if (a[i] != b[i] && to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

bool starts_with_name(std::string_view name, std::string_view prefix) {
  if (name.size() < prefix.size()) return false;
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    if (name[i] != prefix[i] && to_lower(name[i]) != to_lower(prefix[i])) return false;
  }
  return true;
}

bool is_internal_name(std::string_view name) {
  if (!starts_with_name(name, "x-")) return false;
  return std::any_of(kInternalPrefixes.begin(), kInternalPrefixes.end(),
                     [&](auto prefix) { return starts_with_name(name, prefix); }) ||
         std::any_of(kInternalNames.begin(), kInternalNames.end(),
                     [&](auto known) { return same_name(name, known); });
}

Headers::Headers() = default;
Headers::Headers(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  for (const auto& [name, value] : fields) set(name, std::string(value));
}
Headers::Headers(const Headers&) = default;
Headers::Headers(Headers&&) noexcept = default;
Headers& Headers::operator=(const Headers&) = default;
Headers& Headers::operator=(Headers&&) noexcept = default;
Headers::~Headers() = default;

void Headers::set(std::string_view name, std::string value) {
  for (auto& field : fields_) {
    if (same_name(field.first, name)) {
      field.second = std::move(value);
      return;
    }
  }
  append_known_new(title_case(name), std::move(value));
}

void Headers::append_known_new(std::string name, std::string value) {
  if (fields_.capacity() == 0) fields_.reserve(kUsual);
  fields_.emplace_back(std::move(name), std::move(value));
}

void Headers::add(std::string_view name, std::string_view value) {
  add_spelled(title_case(name), value);
}

void Headers::add_spelled(std::string name, std::string_view value) {
  for (auto& field : fields_) {
    if (same_name(field.first, name)) {
      field.second.append(",").append(value);
      return;
    }
  }
  append_known_new(std::move(name), std::string(value));
}

bool Headers::erase(std::string_view name) {
  return std::erase_if(fields_, [&](const Field& f) { return same_name(f.first, name); }) > 0;
}

void Headers::clear() { fields_.clear(); }

const std::string* Headers::find(std::string_view name) const {
  for (const auto& field : fields_) {
    if (same_name(field.first, name)) return &field.second;
  }
  return nullptr;
}

std::string_view Headers::get(std::string_view name, std::string_view fallback) const {
  const std::string* value = find(name);
  return value != nullptr ? std::string_view(*value) : fallback;
}

}  // namespace apus
