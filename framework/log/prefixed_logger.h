// A log whose lines all start alike.
#pragma once

#include <apus/log.h>

#include <string>

namespace apus {

/// Thread-safe when `log`, which outlives it, is.
class APUS_API PrefixedLogger final : public Logger {
 public:
  PrefixedLogger(Logger& log, std::string prefix);
  ~PrefixedLogger() override;
  [[nodiscard]] bool enabled(LogLevel level) const override;
  void write(LogLevel level, std::string_view text, std::string_view trans_id) override;

 private:
  Logger& log_;
  std::string prefix_;
};

}  // namespace apus
