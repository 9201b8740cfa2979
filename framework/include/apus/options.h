// Declared options: one table gives the typed values, `apus check`, the sample conf and the doc
// page.
#pragma once

#include <apus/abi.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace apus {

/// How an option's text is read.
enum class OptionType : std::uint8_t {
  kText,
  kBool,    ///< is_true
  kInt,     ///< decimal, within [min, max]
  kNumber,  ///< decimal fraction, within [min, max]
  kList,    ///< separated by commas or blanks
};

/// One option. Plain data with static storage: a plugin exports an array of these.
struct OptionSpec {
  const char* name;  ///< Swift's own name; a '*' at either end is a family ("user_*")
  OptionType type;
  const char* fallback;  ///< the default as one would write it; null = none
  const char* help;      ///< one line
  double min = -9.2e18;
  double max = 9.2e18;
  bool secret = false;    ///< never shown, never logged
  bool required = false;  ///< missing is an error of `apus check`
};

/// Where a value was written.
struct Origin {
  std::string file;
  int line = 0;
  std::string section;
};

/// The options of one section, checked against its table: a getter never fails on a bad value, for
/// such a conf was refused before anything was created. A value; safe to share once made.
class APUS_API Options {
 public:
  struct Value {
    std::string text;
    Origin origin;
  };
  using Map = std::map<std::string, Value, std::less<>>;

  Options();
  /// `name` is the section's short name ("proxy-server" of "[app:proxy-server]"); `values` are the
  /// section's own options over [DEFAULT]'s, already resolved.
  Options(std::string name, const OptionSpec* specs, std::size_t spec_count, Map values);
  Options(const Options&);
  Options(Options&&) noexcept;
  Options& operator=(const Options&);
  Options& operator=(Options&&) noexcept;
  ~Options();

  [[nodiscard]] const std::string& name() const { return name_; }
  /// As written, else the table's default, else nothing. Undeclared names answer too.
  [[nodiscard]] std::optional<std::string> find(std::string_view option) const;
  /// Typed by the table's type of that option; the default when the option is not set.
  [[nodiscard]] std::string text(std::string_view option) const;
  [[nodiscard]] bool flag(std::string_view option) const;
  [[nodiscard]] std::int64_t integer(std::string_view option) const;
  [[nodiscard]] double number(std::string_view option) const;
  /// A number of seconds, cut to whole milliseconds.
  [[nodiscard]] std::chrono::milliseconds seconds(std::string_view option) const;
  [[nodiscard]] std::vector<std::string> list(std::string_view option) const;
  /// Every set option whose name starts with `prefix`, in name order.
  [[nodiscard]] Map family(std::string_view prefix) const;
  [[nodiscard]] const Map& all() const { return values_; }

  /// One finding of `check`, ready to print.
  struct Problem {
    bool fatal = false;
    Origin origin;
    std::string option;
    std::string message;  ///< what is wrong and what would fit
  };
  /// Bad values and missing required options (fatal), unknown names with "did you mean" (not
  /// fatal). Names in `ambient` (options of [DEFAULT] that others read) are never unknown.
  [[nodiscard]] std::vector<Problem> check(const std::vector<std::string>& ambient = {}) const;

 private:
  const OptionSpec* spec(std::string_view option) const;

  std::string name_;
  const OptionSpec* specs_ = nullptr;
  std::size_t spec_count_ = 0;
  Map values_;
};

}  // namespace apus
