#include "framework/log/prefixed_logger.h"

namespace apus {

PrefixedLogger::PrefixedLogger(Logger& log, std::string prefix)
    : log_(log), prefix_(std::move(prefix)) {}
PrefixedLogger::~PrefixedLogger() = default;

bool PrefixedLogger::enabled(LogLevel level) const { return log_.enabled(level); }

void PrefixedLogger::write(LogLevel level, std::string_view text, std::string_view trans_id) {
  log_.write(level, prefix_ + std::string(text), trans_id);
}

}  // namespace apus
