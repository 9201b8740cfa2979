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
  explicit ServerHost(Cluster& cluster);
  ~ServerHost() override;

  Clock& clock() override { return cluster_.clock; }
  Entropy& entropy() override { return cluster_.entropy; }
  /// One logger for each log_name, made by the first section that asks.
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
  MetricsRegistry metrics_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Logger>, std::less<>> loggers_;
};

}  // namespace apus
