#include "framework/log/line_logger.h"

#include <apus/headers.h>
#include <apus/text.h>
#include <fcntl.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <stdexcept>

namespace apus {
namespace {

constexpr std::array<std::string_view, 6> kLevels = {"DEBUG",   "INFO",  "NOTICE",
                                                     "WARNING", "ERROR", "CRITICAL"};
constexpr std::array<int, 6> kPriorities = {LOG_DEBUG,   LOG_INFO, LOG_NOTICE,
                                            LOG_WARNING, LOG_ERR,  LOG_CRIT};
constexpr std::array<std::string_view, 7> kSecrets = {
    "x-auth-token",  "x-storage-token", "x-auth-key", "x-storage-pass",
    "authorization", "temp_url_sig",    "signature"};
constexpr std::size_t kShown = 8;

std::string one_line(std::string_view text, std::string_view trans_id) {
  std::string out;
  for (const char c : redact(text)) {
    if (c == '\n') {
      out += "#012";
    } else {
      out += c;
    }
  }
  if (!trans_id.empty() && text.find(trans_id) == std::string_view::npos)
    out.append(" (txn: ").append(trans_id).append(")");
  return out;
}

class LineLogger final : public Logger {
 public:
  LineLogger(std::string name, std::size_t level, int fd, bool owned)
      : name_(std::move(name)), level_(level), fd_(fd), owned_(owned) {}
  ~LineLogger() override {
    if (owned_) ::close(fd_);
  }
  bool enabled(LogLevel level) const override { return static_cast<std::size_t>(level) >= level_; }
  void write(LogLevel level, std::string_view text, std::string_view trans_id) override {
    const std::string body = one_line(text, trans_id);
    if (fd_ < 0) {
      ::syslog(LOG_LOCAL0 | kPriorities.at(static_cast<std::size_t>(level)), "%s: %s",
               name_.c_str(), body.c_str());
      return;
    }
    std::array<char, 32> when;
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    const std::size_t size = std::strftime(when.data(), when.size(), "%Y-%m-%dT%H:%M:%SZ ", &parts);
    const std::string line = std::string(when.data(), size) +
                             std::string(kLevels.at(static_cast<std::size_t>(level))) + " " +
                             name_ + ": " + body + "\n";
    // A line that cannot be written has nowhere to be reported.
    [[maybe_unused]] const ssize_t written = ::write(fd_, line.data(), line.size());
  }

 private:
  std::string name_;
  std::size_t level_;
  int fd_;
  bool owned_;
};

}  // namespace

std::string redact(std::string_view text) {
  const std::string small = lower(text);
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::string_view rest = std::string_view(small).substr(at);
    const auto secret = std::find_if(kSecrets.begin(), kSecrets.end(),
                                     [&](std::string_view s) { return rest.starts_with(s); });
    if (secret == kSecrets.end()) {
      out += text[at++];
      continue;
    }
    std::size_t value = at + secret->size();
    while (value < text.size() && (text[value] == ':' || text[value] == '=' || text[value] == ' '))
      ++value;
    const bool assigned = value > at + secret->size();
    const std::size_t end = std::min(text.find_first_of(" &,\n\"'", value), text.size());
    out += text.substr(at, value - at);
    if (assigned && end - value > kShown) {
      out.append(text.substr(value, kShown)).append("...");
      at = end;
    } else {
      at = value;
    }
  }
  return out;
}

std::unique_ptr<Logger> make_logger(const LogConf& conf) {
  const auto level = std::find_if(kLevels.begin(), kLevels.end(),
                                  [&](std::string_view l) { return same_name(l, conf.level); });
  if (level == kLevels.end()) {
    throw std::runtime_error("log_level: '" + conf.level +
                             "' is none of DEBUG, INFO, NOTICE, WARNING, ERROR, CRITICAL");
  }
  const auto index = static_cast<std::size_t>(level - kLevels.begin());
  if (conf.to == "stderr")
    return std::make_unique<LineLogger>(conf.name, index, STDERR_FILENO, false);
  if (conf.to == "syslog") return std::make_unique<LineLogger>(conf.name, index, -1, false);
  if (!conf.to.starts_with("file:"))
    throw std::runtime_error("log_to: '" + conf.to + "' is none of syslog, stderr, file:PATH");
  const int fd = ::open(conf.to.c_str() + 5, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd < 0) throw std::runtime_error("log_to: cannot open " + conf.to.substr(5));
  return std::make_unique<LineLogger>(conf.name, index, fd, true);
}

}  // namespace apus
