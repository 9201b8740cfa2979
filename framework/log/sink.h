// Where log lines go.
#pragma once

#include <apus/log.h>

#include <memory>
#include <string_view>

#include "framework/log/line_logger.h"

namespace apus {

/// Takes whole lines. Thread-safe, never waits, never fails.
class LogSink {
 public:
  LogSink() = default;
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;
  virtual ~LogSink();
  virtual void put(LogLevel level, std::string_view line) = 0;
};

std::string_view level_name(LogLevel level);
/// Lines with time and level in front. Takes the descriptor over when `owned`.
std::unique_ptr<LogSink> make_file_sink(int fd, bool owned);
/// "<PRI>LINE" and a NUL, as Python's SysLogHandler sends it.
std::unique_ptr<LogSink> make_syslog_sink(const LogConf& conf);

}  // namespace apus
