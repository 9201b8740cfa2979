// Opens every database once and looks whether it can be read: what account and container auditors
// share.
#pragma once

#include <apus/app.h>
#include <apus/host.h>
#include <apus/options.h>

#include <functional>
#include <string>

#include "framework/backend/backend.h"
#include "framework/backend/pace.h"
#include "framework/backend/recon_cache.h"
#include "framework/store/db/broker.h"

namespace apus {

class APUS_API DatabaseAuditor : public Daemon {
 public:
  /// `kind` is "account" or "container": options KINDs_per_second, interval, devices, mount_check.
  DatabaseAuditor(Host& host, const Options& options, const std::string& kind);
  ~DatabaseAuditor() override;

  void run_once(std::stop_token stop) override;
  void run_forever(std::stop_token stop) override;

 protected:
  /// What is wrong with a database; empty when nothing is, or when it counts as deleted. What it
  /// throws is a failure too.
  [[nodiscard]] virtual std::string audit(const DatabasePlace& place) = 0;
  [[nodiscard]] BrokerServices services();

 private:
  void audit_one(const DatabasePlace& place);
  void report(const char* mode, double since, double seconds);

  Host& host_;
  Logger& log_;
  std::string kind_;
  std::string root_;
  Devices devices_;
  std::chrono::milliseconds interval_;
  Pace pace_;
  ReconCache recon_;
  DatabasePool connections_{DatabasePool::kOfDaemon};
  std::int64_t passed_ = 0;
  std::int64_t failed_ = 0;
};

}  // namespace apus
