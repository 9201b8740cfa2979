// Events as StatsD datagrams, in the form Swift sends them.
#pragma once

#include <apus/log.h>
#include <apus/options.h>

#include <memory>
#include <string>
#include <string_view>

namespace apus {

/// What the log_statsd_* options say.
struct StatsdConf {
  std::string host{};  ///< empty = nothing is sent
  int port = 8125;
  double default_sample_rate = 1;
  double sample_rate_factor = 1;
  std::string metric_prefix{};  ///< goes before the server's name
};

APUS_API StatsdConf statsd_conf_of(const Options& options);

/// One UDP socket to one server. Thread-safe, never waits, never fails: what the kernel does not
/// take at once is lost. The host is looked up once; one that has no address is told to the log and
/// nothing is sent.
class APUS_API StatsdSocket {
 public:
  StatsdSocket(const StatsdConf& conf, Logger* log);
  StatsdSocket(const StatsdSocket&) = delete;
  StatsdSocket& operator=(const StatsdSocket&) = delete;
  ~StatsdSocket();

  /// False: nothing is ever sent.
  [[nodiscard]] bool on() const { return fd_ >= 0; }
  /// Sends "PREFIX.NAME:VALUE|TYPE", with "|@RATE" when the sample rate is below 1 and this event
  /// is among those chosen. `prefix` is the tail ("proxy-server"), put behind
  /// log_statsd_metric_prefix.
  void send(std::string_view prefix, std::string_view name, std::string_view value,
            std::string_view type) const;

 private:
  StatsdConf conf_;
  double rate_;
  int fd_ = -1;
};

}  // namespace apus
