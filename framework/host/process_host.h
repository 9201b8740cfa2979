// The Host of a running process: what all its servers share, and what each conf has of its own.
#pragma once

#include <apus/disk.h>
#include <apus/host.h>

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "framework/host/info_registry.h"
#include "framework/host/real_time.h"
#include "framework/log/line_logger.h"
#include "framework/metrics/registry.h"
#include "framework/ring/ring_directory.h"
#include "framework/transport/http_transport.h"
#include "framework/transport/local_transport.h"

namespace apus {

/// What servers with the same swift_dir share in one process. Outlives them.
struct APUS_API Cluster {
  /// Reads swift.conf of the folder; throws std::runtime_error with lines for the deployer.
  explicit Cluster(const std::filesystem::path& swift_dir);
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;
  ~Cluster();

  RealClock clock;
  RealEntropy entropy;
  SwiftConf swift_conf;
  RingFolder rings;
  HttpTransport http;        ///< to servers of other processes
  LocalTransport transport;  ///< to servers of this one, else over `http`
};

/// One server's Host.
class APUS_API ServerHost final : public Host {
 public:
  /// `options` are the server's own (log_*); they are read here and not kept. `name` is what its
  /// log lines and metrics start with unless log_name says otherwise: the app's ("proxy-server").
  ServerHost(Cluster& cluster, const Options& options, std::string name);
  ~ServerHost() override;

  Clock& clock() override { return cluster_.clock; }
  Entropy& entropy() override { return cluster_.entropy; }
  /// Sections whose log_* options say the same share one logger.
  Logger& logger(const Options& options) override;
  Metrics& metrics() override { return metrics_; }
  InfoRegistry& info() override { return info_; }
  const SwiftConf& swift_conf() const override { return cluster_.swift_conf; }
  Transport& transport() override { return cluster_.transport; }
  Disk& disk() override { return real_disk(); }
  RingDirectory& rings() override { return cluster_.rings; }

 private:
  Cluster& cluster_;
  ProcessInfo info_;
  std::string name_;
  std::mutex mutex_;
  std::map<LogConf, std::unique_ptr<Logger>> loggers_;
  MetricsRegistry registry_;
  StatsdSocket statsd_;
  PrefixedMetrics metrics_;
};

}  // namespace apus
