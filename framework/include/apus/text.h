// Small text rules that every server and filter shares: quoting, paths, query strings, booleans.
#pragma once

#include <apus/abi.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace apus {

/// Percent-encodes every byte but letters, digits, "_.-~" and those in `safe` (Python's quote).
APUS_API std::string quote(std::string_view bytes, std::string_view safe = "/");
/// As `quote`, with ' ' as '+' (Python's quote_plus).
APUS_API std::string quote_plus(std::string_view bytes, std::string_view safe = {});
/// Decodes %XX; a '%' without two hex digits stays as it is. '+' is not touched.
APUS_API std::string unquote(std::string_view text);
/// As `unquote`, with '+' as ' '.
APUS_API std::string unquote_plus(std::string_view text);

/// True for well-formed UTF-8 (no surrogates, no overlong forms, at most U+10FFFF).
APUS_API bool is_utf8(std::string_view bytes);

/// true, 1, yes, on, t, y in any case (Swift's config_true_value).
APUS_API bool is_true(std::string_view text);

/// Without blanks (space, tab, CR, LF) at both ends.
APUS_API std::string_view trim(std::string_view text);
/// Pieces between `separator`, trimmed, empty ones left out.
APUS_API std::vector<std::string> split_list(std::string_view text, char separator = ',');
APUS_API std::string lower(std::string_view text);

/// As Python shows a str: in single quotes (double ones when the text holds a single quote and no
/// double one), control characters escaped. Bytes above 0x7f are kept.
APUS_API std::string python_repr(std::string_view text);

/// Digits only, no sign, no blanks; nothing when empty, not a number or past 2^63-1.
APUS_API std::optional<std::int64_t> parse_digits(std::string_view text);
/// As Python's int(): blanks around, one sign, digits with single '_' between them.
APUS_API std::optional<std::int64_t> parse_int(std::string_view text);

/// The pieces of "/v1/account/container/object with/slashes" (decoded bytes). A missing piece is
/// empty. Views into the text given.
struct ApiPath {
  std::string_view version;
  std::string_view account;
  std::string_view container;
  std::string_view object;
};
/// Nothing unless the text starts with '/', names at least `min_pieces` non-empty pieces and no
/// empty one before the last. "/v1/a/c/" is account and container with an empty object.
APUS_API std::optional<ApiPath> split_api_path(std::string_view path, int min_pieces = 1);

/// The value of a header that names an object, "[/]CONTAINER/OBJECT" (X-Copy-From, Destination,
/// X-Symlink-Target), percent-decoded; nothing when a part is missing or empty.
struct ObjectName {
  std::string container;
  std::string object;
};
APUS_API std::optional<ObjectName> parse_object_name(std::string_view quoted);

/// "value; name=text; name=\"quoted text\"" taken apart. Names in lower case, texts without their
/// quotes; pieces without '=' are left out.
struct ParameterizedValue {
  std::string value;
  std::vector<std::pair<std::string, std::string>> parameters;
};
APUS_API ParameterizedValue parse_parameterized(std::string_view text);

/// Without the double quotes around it, as ETags are compared.
APUS_API std::string_view unquote_etag(std::string_view etag);

/// A query string as ordered pairs, decoded; a name without '=' has an empty value.
class APUS_API Query {
 public:
  using Pair = std::pair<std::string, std::string>;

  Query();
  explicit Query(std::string_view raw);
  Query(const Query&);
  Query(Query&&) noexcept;
  Query& operator=(const Query&);
  Query& operator=(Query&&) noexcept;
  ~Query();

  /// The last pair of that name, as Swift's params; null when absent.
  [[nodiscard]] const std::string* find(std::string_view name) const;
  [[nodiscard]] std::string_view get(std::string_view name, std::string_view fallback = {}) const;
  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
  void set(std::string_view name, std::string_view value);
  void erase(std::string_view name);
  [[nodiscard]] bool empty() const { return pairs_.empty(); }
  [[nodiscard]] const std::vector<Pair>& pairs() const { return pairs_; }
  /// Encoded again, pairs joined with '&', without '?'.
  [[nodiscard]] std::string encode() const;

 private:
  std::vector<Pair> pairs_;
};

}  // namespace apus
