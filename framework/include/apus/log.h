// Logging, with Swift's levels. Secrets are cut by the logger itself.
#pragma once

#include <apus/abi.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace apus {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kNotice, kWarning, kError, kCritical };

/// A named log. Thread-safe. Lines end up where the conf says (stderr, file, syslog), in Swift's
/// form: newlines as "#012", " (txn: ID)" appended when `trans_id` is given and not in the text.
class APUS_API Logger {
 public:
  Logger() = default;
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;
  virtual ~Logger();

  [[nodiscard]] virtual bool enabled(LogLevel level) const = 0;
  virtual void write(LogLevel level, std::string_view text, std::string_view trans_id) = 0;

  void debug(std::string_view text, std::string_view trans_id = {});
  void info(std::string_view text, std::string_view trans_id = {});
  void notice(std::string_view text, std::string_view trans_id = {});
  void warning(std::string_view text, std::string_view trans_id = {});
  void error(std::string_view text, std::string_view trans_id = {});
};

}  // namespace apus
