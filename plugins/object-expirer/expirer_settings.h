// What the section [object-expirer] asks for.
#pragma once

#include <apus/host.h>
#include <apus/options.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace apus {

struct ExpirerSettings {
  /// Throws std::runtime_error with a line for the deployer.
  ExpirerSettings(const Options& options, const SwiftConf& conf);

  std::chrono::milliseconds interval;
  double report_interval;  ///< seconds
  std::size_t concurrency;
  double tasks_per_second;
  bool dequeues;           ///< this expirer works on the queue at all
  std::int64_t processes;  ///< 0 = this one has all tasks
  std::int64_t process;    ///< below `processes`
  double reclaim_age;      ///< seconds
  std::int64_t request_tries;
  std::size_t round_robin;  ///< tasks that are put in order at once
  std::string client_conf;  ///< of the internal client
  std::string account;      ///< of the queue: ".expiring_objects"
  std::string recon_folder;

  /// Seconds for which an object is kept when it has expired: its container's, else its account's.
  [[nodiscard]] double delay_of(const std::string& account_name,
                                const std::string& container) const;

 private:
  std::map<std::string, double, std::less<>> delays_;  ///< by "account" or "account/container"
};

}  // namespace apus
