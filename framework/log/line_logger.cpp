#include "framework/log/line_logger.h"

#include <apus/headers.h>
#include <apus/text.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "framework/log/sink.h"

namespace apus {
namespace {

constexpr std::array<std::string_view, 6> kLevels = {"DEBUG",   "INFO",  "NOTICE",
                                                     "WARNING", "ERROR", "CRITICAL"};

class LineLogger final : public Logger {
 public:
  LineLogger(LogConf conf, LogLevel level, std::unique_ptr<LogSink> sink)
      : conf_(std::move(conf)), level_(level), sink_(std::move(sink)) {}
  bool enabled(LogLevel level) const override { return level >= level_; }
  void write(LogLevel level, std::string_view text, std::string_view trans_id) override {
    if (enabled(level)) sink_->put(level, form_line(conf_, text, trans_id));
  }

 private:
  LogConf conf_;
  LogLevel level_;
  std::unique_ptr<LogSink> sink_;
};

LogLevel level_of(std::string_view name) {
  if (same_name(name, "WARN")) return LogLevel::kWarning;
  if (same_name(name, "FATAL")) return LogLevel::kCritical;
  const auto* at = std::find_if(kLevels.begin(), kLevels.end(),
                                [&](std::string_view level) { return same_name(level, name); });
  if (at == kLevels.end()) {
    throw std::runtime_error("log_level: '" + std::string(name) +
                             "' is none of DEBUG, INFO, NOTICE, WARNING, ERROR, CRITICAL");
  }
  return static_cast<LogLevel>(at - kLevels.begin());
}

std::unique_ptr<LogSink> make_sink(const LogConf& conf) {
  if (conf.to == "stderr") return make_file_sink(STDERR_FILENO, false);
  if (conf.to == "syslog") return make_syslog_sink(conf);
  if (!conf.to.starts_with("file:"))
    throw std::runtime_error("log_to: '" + conf.to + "' is none of syslog, stderr, file:PATH");
  const int fd = ::open(conf.to.c_str() + 5, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd < 0) {
    throw std::runtime_error("log_to: cannot open " + conf.to.substr(5) + ": " +
                             std::generic_category().message(errno));
  }
  return make_file_sink(fd, true);
}

}  // namespace

std::string_view level_name(LogLevel level) { return kLevels.at(static_cast<std::size_t>(level)); }

LogConf log_conf_of(const Options& options, const std::string& server_name) {
  const auto text = [&](std::string_view name, std::string fallback) {
    return options.find(name).value_or(std::move(fallback));
  };
  LogConf out;
  out.name = text("log_name", server_name);
  out.level = text("log_level", out.level);
  out.to = text("log_to", "syslog");
  out.facility = text("log_facility", out.facility);
  out.address = text("log_address", out.address);
  out.udp_host = text("log_udp_host", "");
  out.udp_port = static_cast<int>(parse_int(text("log_udp_port", "514")).value_or(514));
  out.max_line_length = static_cast<std::size_t>(
      std::max<std::int64_t>(0, parse_int(text("log_max_line_length", "0")).value_or(0)));
  return out;
}

std::string form_line(const LogConf& conf, std::string_view text, std::string_view trans_id) {
  const std::string clean = redact(text);
  std::string out;
  out.reserve(conf.name.size() + clean.size() + 64);
  out.append(conf.name).append(": ");
  for (std::string_view rest = clean; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    out.append(rest.substr(0, end));
    if (end < rest.size()) out += "#012";
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (!trans_id.empty() && text.find(trans_id) == std::string_view::npos)
    out.append(" (txn: ").append(trans_id).append(")");
  const std::size_t most = conf.max_line_length;
  if (most == 0 || out.size() <= most) return out;
  if (most < 7) return out.substr(0, most);
  const std::size_t half = (most - 5) / 2;
  return out.substr(0, half) + " ... " + out.substr(out.size() - half);
}

std::unique_ptr<Logger> make_logger(const LogConf& conf) {
  const LogLevel level = level_of(conf.level);
  return std::make_unique<LineLogger>(conf, level, make_sink(conf));
}

}  // namespace apus
