// HTTP header fields as Swift keeps them: one value a name, names spelled in title case.
#pragma once

#include <apus/abi.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace apus {

/// Spells a field name as Swift stores and sends it: '_' becomes '-', the first letter after any
/// non-letter is upper case, every other letter lower case ("x-object-meta-a1b" gives
/// "X-Object-Meta-A1B"). Bytes above 0x7f are kept.
APUS_API std::string title_case(std::string_view name);

/// As same_name, of texts that are `size` long both.
APUS_API bool same_letters(const char* a, const char* b, std::size_t size);
/// Case-insensitive over ASCII.
inline bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && same_letters(a.data(), b.data(), a.size());
}
APUS_API bool starts_with_name(std::string_view name, std::string_view prefix);

/// True for the names by which servers tell each other facts and that no client may say:
/// X-Backend-*, X-{Account,Container,Object}-Sysmeta-*, X-Object-Transient-Sysmeta-*,
/// X-{Account,Container,Delete-At}-{Host,Device,Partition}, X-Delete-At-Container,
/// X-Container-Root-Db-State.
APUS_API bool is_internal_name(std::string_view name);

/// An ordered list of fields with unique, case-insensitive names. Values are bytes as on the wire.
/// Lookups are linear: requests carry tens of fields, not thousands. Not synchronised.
class APUS_API Headers {
 public:
  using Field = std::pair<std::string, std::string>;

  Headers();
  Headers(std::initializer_list<std::pair<std::string_view, std::string_view>> fields);
  Headers(const Headers&);
  Headers(Headers&&) noexcept;
  Headers& operator=(const Headers&);
  Headers& operator=(Headers&&) noexcept;
  ~Headers();

  /// Replaces the value in place, or appends.
  void set(std::string_view name, std::string value);
  /// As `set` for a name that the caller spelled by title_case already and knows to be new.
  void append_known_new(std::string name, std::string value);
  /// Joins with "," when the name is there, else appends: repeated fields of a request.
  void add(std::string_view name, std::string_view value);
  /// As `add` for a name that the caller spelled by title_case already.
  void add_spelled(std::string name, std::string_view value);
  /// True when something was removed.
  bool erase(std::string_view name);
  /// Removes every field for which `predicate(name)` holds.
  template <typename Predicate>
  void erase_if(Predicate predicate) {
    std::erase_if(fields_,
                  [&](const Field& field) { return predicate(std::string_view(field.first)); });
  }
  void clear();

  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
  /// Null when absent. The pointer lives until the next change.
  [[nodiscard]] const std::string* find(std::string_view name) const;
  /// The value, or `fallback` when absent. The view lives until the next change.
  [[nodiscard]] std::string_view get(std::string_view name, std::string_view fallback = {}) const;

  [[nodiscard]] std::size_t size() const { return fields_.size(); }
  [[nodiscard]] bool empty() const { return fields_.empty(); }
  [[nodiscard]] std::vector<Field>::const_iterator begin() const { return fields_.begin(); }
  [[nodiscard]] std::vector<Field>::const_iterator end() const { return fields_.end(); }

 private:
  std::vector<Field> fields_;
};

}  // namespace apus
