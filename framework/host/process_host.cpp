#include "framework/host/process_host.h"

#include "framework/conf/swift_conf_reader.h"
#include "framework/log/line_logger.h"

namespace apus {

Cluster::Cluster(const std::filesystem::path& swift_dir)
    : swift_conf(load_swift_conf(swift_dir)), rings(swift_dir, clock), transport(&http) {}
Cluster::~Cluster() = default;

ServerHost::ServerHost(Cluster& cluster) : cluster_(cluster) {}
ServerHost::~ServerHost() = default;

Logger& ServerHost::logger(const Options& options) {
  LogConf conf;
  conf.name = options.find("log_name").value_or(options.name());
  conf.level = options.find("log_level").value_or("INFO");
  conf.to = options.find("log_to").value_or("syslog");
  const std::lock_guard lock(mutex_);
  auto& logger = loggers_[conf.name];
  if (logger == nullptr) logger = make_logger(conf);
  return *logger;
}

}  // namespace apus
