#include <apus/text.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <utility>

#include "framework/log/sink.h"

namespace apus {
namespace {

using Named = std::pair<std::string_view, int>;
constexpr std::array kFacilities = {
    Named{"LOG_KERN", LOG_KERN},         Named{"LOG_USER", LOG_USER},
    Named{"LOG_MAIL", LOG_MAIL},         Named{"LOG_DAEMON", LOG_DAEMON},
    Named{"LOG_AUTH", LOG_AUTH},         Named{"LOG_SYSLOG", LOG_SYSLOG},
    Named{"LOG_LPR", LOG_LPR},           Named{"LOG_NEWS", LOG_NEWS},
    Named{"LOG_UUCP", LOG_UUCP},         Named{"LOG_CRON", LOG_CRON},
    Named{"LOG_AUTHPRIV", LOG_AUTHPRIV}, Named{"LOG_FTP", LOG_FTP},
    Named{"LOG_LOCAL0", LOG_LOCAL0},     Named{"LOG_LOCAL1", LOG_LOCAL1},
    Named{"LOG_LOCAL2", LOG_LOCAL2},     Named{"LOG_LOCAL3", LOG_LOCAL3},
    Named{"LOG_LOCAL4", LOG_LOCAL4},     Named{"LOG_LOCAL5", LOG_LOCAL5},
    Named{"LOG_LOCAL6", LOG_LOCAL6},     Named{"LOG_LOCAL7", LOG_LOCAL7},
};
constexpr std::array<int, 6> kPriorities = {LOG_DEBUG,   LOG_INFO, LOG_NOTICE,
                                            LOG_WARNING, LOG_ERR,  LOG_CRIT};

int facility_of(std::string_view name) {
  const auto* at = std::find_if(kFacilities.begin(), kFacilities.end(),
                                [&](const Named& known) { return known.first == name; });
  return at == kFacilities.end() ? LOG_LOCAL0 : at->second;
}

class SyslogSink final : public LogSink {
 public:
  explicit SyslogSink(const LogConf& conf)
      : facility_(facility_of(conf.facility)), conf_(conf), fd_(open_socket()) {}
  ~SyslogSink() override {
    if (fd_ >= 0) ::close(fd_);
  }

  void put(LogLevel level, std::string_view line) override {
    if (fd_ < 0) return;
    std::string packet =
        "<" + std::to_string(facility_ | kPriorities.at(static_cast<std::size_t>(level))) + ">";
    packet.append(line).push_back('\0');
    if (::send(fd_, packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return;
    // A syslog daemon that was started again has a new socket at the old path.
    if (!local_ || (errno != ECONNREFUSED && errno != ENOTCONN && errno != ECONNRESET)) return;
    if (connect_local(fd_)) [[maybe_unused]]
      const ssize_t again = ::send(fd_, packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }

 private:
  bool connect_local(int fd) const {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    if (conf_.address.size() >= sizeof to.sun_path) return false;
    std::memcpy(to.sun_path, conf_.address.data(), conf_.address.size());
    return ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }
  int open_socket() {
    if (!conf_.udp_host.empty()) return open_udp(conf_.udp_host, conf_.udp_port);
    struct stat info {};
    if (::stat(conf_.address.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode))
      return open_udp("localhost", 514);
    local_ = true;
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) connect_local(fd);  // else by the first line, when the daemon is there
    return fd;
  }
  static int open_udp(const std::string& host, int port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return -1;
    int fd = -1;
    for (const addrinfo* at = found; at != nullptr && fd < 0; at = at->ai_next) {
      fd = ::socket(at->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      if (fd >= 0 && ::connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
        ::close(fd);
        fd = -1;
      }
    }
    ::freeaddrinfo(found);
    return fd;
  }

  int facility_;
  LogConf conf_;
  bool local_ = false;
  int fd_;
};

}  // namespace

std::unique_ptr<LogSink> make_syslog_sink(const LogConf& conf) {
  return std::make_unique<SyslogSink>(conf);
}

}  // namespace apus
