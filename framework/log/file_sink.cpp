#include <unistd.h>

#include <array>
#include <ctime>

#include "framework/log/sink.h"

namespace apus {
namespace {

// "2026-01-31T12:00:00Z ", formed once a second.
std::string_view this_second() {
  thread_local std::array<char, 32> text;
  thread_local std::size_t size = 0;
  thread_local std::time_t second = -1;
  const std::time_t now = std::time(nullptr);
  if (now != second) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ ", &parts);
    second = now;
  }
  return {text.data(), size};
}

class FileSink final : public LogSink {
 public:
  FileSink(int fd, bool owned) : fd_(fd), owned_(owned) {}
  ~FileSink() override {
    if (owned_) ::close(fd_);
  }
  void put(LogLevel level, std::string_view line) override {
    std::string whole;
    whole.reserve(line.size() + 48);
    whole.append(this_second());
    whole.append(level_name(level)).append(" ").append(line).append("\n");
    // A line that cannot be written has nowhere to be reported.
    [[maybe_unused]] const ssize_t written = ::write(fd_, whole.data(), whole.size());
  }

 private:
  int fd_;
  bool owned_;
};

}  // namespace

LogSink::~LogSink() = default;

std::unique_ptr<LogSink> make_file_sink(int fd, bool owned) {
  return std::make_unique<FileSink>(fd, owned);
}

}  // namespace apus
