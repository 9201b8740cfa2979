// JSON as Swift writes and reads it (Python's json module): texts in, texts out.
#pragma once

#include <apus/abi.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace apus {

/// A JSON value. Objects keep the order they were written in. Numbers without fraction or exponent
/// that fit are integers. A value type: copies are deep.
class APUS_API Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;

  Json();  ///< null  NOLINTBEGIN(google-explicit-constructor): a value may stand for its JSON
  Json(std::nullptr_t);
  Json(bool value);
  Json(int value);
  Json(std::int64_t value);
  Json(double value);
  Json(std::string value);
  Json(const char* value);
  Json(Array value);
  Json(Object value);  // NOLINTEND(google-explicit-constructor)
  Json(const Json&);
  Json(Json&&) noexcept;
  Json& operator=(const Json&);
  Json& operator=(Json&&) noexcept;
  ~Json();

  /// Nothing when the text is not one whole JSON value, nests deeper than 100 or is larger than
  /// `max_size` bytes.
  static std::optional<Json> parse(std::string_view text, std::size_t max_size = 64U << 20U);

  [[nodiscard]] bool is_null() const;
  /// Null unless it is of that type.
  [[nodiscard]] const bool* boolean() const;
  [[nodiscard]] const std::int64_t* integer() const;
  [[nodiscard]] const std::string* text() const;
  [[nodiscard]] const Array* array() const;
  [[nodiscard]] const Object* object() const;
  /// An integer or a fraction as a double.
  [[nodiscard]] std::optional<double> number() const;
  /// A member of an object by name (the last of that name); null when there is none.
  [[nodiscard]] const Json* find(std::string_view name) const;
  /// The text of a member; empty when there is none or it is no text.
  [[nodiscard]] std::string text_at(std::string_view name) const;
  /// The integer of a member; `otherwise` when there is none or it is no integer.
  [[nodiscard]] std::int64_t integer_at(std::string_view name, std::int64_t otherwise = 0) const;
  /// Sets a member; turns anything else into an object first.
  void set(std::string_view name, Json value);

  /// As json.dumps: ", " and ": ", non-ASCII as \uXXXX. `compact` leaves the blanks out; `sorted`
  /// orders members by name.
  [[nodiscard]] std::string dump(bool compact = false, bool sorted = false) const;

 private:
  std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Array, Object> value_;
};

/// Appends `text` (UTF-8; a malformed byte as U+FFFD) as a JSON string with its quotes, non-ASCII
/// as \uXXXX with surrogate pairs.
APUS_API void append_json_string(std::string& out, std::string_view text);

/// Sees the pieces of a JSON text in order, without a tree: for listings.
class APUS_API JsonHandler {
 public:
  JsonHandler() = default;
  JsonHandler(const JsonHandler&) = delete;
  JsonHandler& operator=(const JsonHandler&) = delete;
  virtual ~JsonHandler();
  virtual void begin_object() = 0;
  virtual void end_object() = 0;
  virtual void begin_array() = 0;
  virtual void end_array() = 0;
  /// The view lives during the call.
  virtual void key(std::string_view name) = 0;
  virtual void text(std::string_view value) = 0;
  virtual void integer(std::int64_t value) = 0;
  virtual void other(const Json& value) = 0;  ///< null, booleans, fractions
};
/// False when the text is not one whole JSON value; what was seen until then was handed over.
APUS_API bool read_json(std::string_view text, JsonHandler& handler);

}  // namespace apus
