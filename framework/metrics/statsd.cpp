#include "framework/metrics/statsd.h"

#include <apus/text.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>

#include "framework/metrics/number.h"

namespace apus {
namespace {

double chance() {
  thread_local std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution<double>()(engine);
}

int connect_to(const StatsdConf& conf, int family) {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(conf.host.c_str(), std::to_string(conf.port).c_str(), &hints, &found) != 0)
    return -1;
  int fd = ::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && ::connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
    ::close(fd);
    fd = -1;
  }
  ::freeaddrinfo(found);
  return fd;
}

}  // namespace

StatsdConf statsd_conf_of(const Options& options) {
  StatsdConf out;
  out.host = options.find("log_statsd_host").value_or("");
  if (out.host.empty()) return out;
  out.port = static_cast<int>(options.integer("log_statsd_port"));
  out.default_sample_rate = options.number("log_statsd_default_sample_rate");
  out.sample_rate_factor = options.number("log_statsd_sample_rate_factor");
  out.metric_prefix = options.find("log_statsd_metric_prefix").value_or("");
  return out;
}

StatsdSocket::StatsdSocket(const StatsdConf& conf, Logger* log)
    : conf_(conf), rate_(conf.default_sample_rate * conf.sample_rate_factor) {
  if (conf_.host.empty()) return;
  fd_ = connect_to(conf_, AF_INET);  // IPv4 first, as Swift
  if (fd_ < 0) fd_ = connect_to(conf_, AF_INET6);
  if (fd_ < 0 && log != nullptr)
    log->warning("log_statsd_host: no address for '" + conf_.host + "'; no metrics are sent");
}

StatsdSocket::~StatsdSocket() {
  if (fd_ >= 0) ::close(fd_);
}

void StatsdSocket::send(std::string_view prefix, std::string_view name, std::string_view value,
                        std::string_view type) const {
  if (fd_ < 0 || (rate_ < 1 && chance() >= rate_)) return;
  std::string line;
  for (const std::string_view part : {std::string_view(conf_.metric_prefix), prefix}) {
    if (!part.empty()) line.append(part).append(".");
  }
  line.append(name).append(":").append(value).append("|").append(type);
  if (rate_ < 1) line.append("|@").append(number_text(rate_));
  [[maybe_unused]] const ssize_t sent =
      ::send(fd_, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace apus
