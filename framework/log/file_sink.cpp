#include <unistd.h>

#include <array>
#include <ctime>

#include "framework/log/sink.h"

namespace apus {
namespace {

class FileSink final : public LogSink {
 public:
  FileSink(int fd, bool owned) : fd_(fd), owned_(owned) {}
  ~FileSink() override {
    if (owned_) ::close(fd_);
  }
  void put(LogLevel level, std::string_view line) override {
    std::array<char, 32> when;
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    const std::size_t size = std::strftime(when.data(), when.size(), "%Y-%m-%dT%H:%M:%SZ ", &parts);
    std::string whole(when.data(), size);
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
