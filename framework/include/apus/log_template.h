// Lines of an access log by a deployer's template: "{client_ip} {end_time.datetime} {path}".
#pragma once

#include <apus/abi.h>
#include <apus/digest.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace apus {

/// One name a template may use.
struct LogField {
  enum class Kind : std::uint8_t {
    kPlain,    ///< "{method}"
    kPrivate,  ///< also "{path.anonymized}": "{MD5}HEX", with a salt "{SMD5}HEX"
    kTime,     ///< seconds; also .asctime .datetime .iso8601 .s .ms .us .ns and strftime's letters
  };
  const char* name;
  Kind kind = Kind::kPlain;
  bool late = false;  ///< known only when the body has gone out
};

/// The value of one field: `text`, or `time` for kTime. An empty text is shown as "-".
struct LogValue {
  std::string_view text;
  double time = 0;
};

/// A template, read once. Values are percent-quoted but for ":/{}", as Swift's proxy-logging does.
/// Immutable, for all threads.
class APUS_API LogTemplate {
 public:
  /// A line whose early fields are filled in. Holds no views.
  struct Line {
    std::string text;
    std::vector<std::size_t> gaps;  ///< where in `text` the late fields go, in order
  };

  /// `fields` has static storage; values are given in its order. `anonymizer` is md5, sha1, sha256
  /// or sha512. Throws std::runtime_error with a text for the deployer: another anonymizer,
  /// unbalanced braces, an unknown field or attribute, a format after ':'.
  LogTemplate(std::string_view text, std::span<const LogField> fields, std::string anonymizer,
              std::string salt);
  LogTemplate(const LogTemplate&) = delete;
  LogTemplate& operator=(const LogTemplate&) = delete;
  ~LogTemplate();

  [[nodiscard]] Line begin(std::span<const LogValue> values) const;
  [[nodiscard]] std::string finish(const Line& line, std::span<const LogValue> values) const;

 private:
  struct Piece {
    std::string literal;  ///< in front of the field
    std::size_t field = 0;
    std::string attribute;
  };
  void add_field(std::string_view inside, std::string literal);
  void append(std::string& out, const Piece& piece, const LogValue& value) const;
  [[nodiscard]] std::string anonymous(std::string_view text) const;

  std::span<const LogField> fields_;
  std::vector<Piece> pieces_;
  std::string tail_;
  std::string anonymizer_;  // upper case
  DigestKind digest_;
  std::string salt_;
};

/// Python's str() of a float: the shortest digits that read back as the same number.
APUS_API std::string python_float(double value);

}  // namespace apus
