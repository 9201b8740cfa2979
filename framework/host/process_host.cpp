#include "framework/host/process_host.h"

#include "framework/conf/swift_conf_reader.h"
namespace apus {

Cluster::Cluster(const std::filesystem::path& swift_dir)
    : swift_conf(load_swift_conf(swift_dir)),
      rings(swift_dir, clock),
      http({.entropy = &entropy}),
      transport(&http) {}
Cluster::~Cluster() = default;

ServerHost::ServerHost(Cluster& cluster, const Options& options, std::string name)
    : cluster_(cluster),
      name_(options.find("log_name").value_or(std::move(name))),
      statsd_(statsd_conf_of(options), &logger(options)),
      metrics_(registry_, statsd_, name_) {}
ServerHost::~ServerHost() = default;

Logger& ServerHost::logger(const Options& options) {
  const LogConf conf = log_conf_of(options, name_);
  const std::lock_guard lock(mutex_);
  auto& logger = loggers_[conf];
  if (logger == nullptr) logger = make_logger(conf);
  return *logger;
}

}  // namespace apus
