// What dispersion-populate and dispersion-report have in common: their conf, and their progress.
#pragma once

#include <apus/ring.h>
#include <apus/swift_conf.h>

#include <memory>
#include <mutex>
#include <string>

#include "servers/apus/operators/swift_client.h"

namespace apus {

struct DispersionConf {
  ConfMap options;  ///< of [dispersion]
  std::string swift_dir;
  SwiftConf swift_conf;
  StoragePolicy policy;
  double coverage = 1;  ///< percent of the partitions
  std::size_t concurrency = 25;
  int retries = 5;
  bool insecure = false;

  [[nodiscard]] bool is_yes(std::string_view option, bool otherwise) const;
};

/// Reads FILE and the swift.conf of its swift_dir; `policy` is a name, empty = the default one.
/// Throws std::runtime_error.
DispersionConf read_dispersion_conf(const std::string& file, const std::string& policy);

/// "container", "object-1": read from the conf's folder. Throws std::runtime_error.
std::shared_ptr<const Ring> read_ring_of(const DispersionConf& conf, const std::string& name);

/// Seconds, minutes or hours, as Swift's tools show them: "12s".
std::string shown_duration(double seconds);

/// How far a run is: at most every five seconds a line over the last one. Thread-safe.
class DispersionProgress {
 public:
  /// "Creating containers"
  DispersionProgress(std::string doing, std::size_t all, bool quiet);
  void step(int retries);
  [[nodiscard]] int retries() const { return retries_; }
  /// Since it was made.
  [[nodiscard]] double seconds() const;

 private:
  std::mutex mutex_;
  std::string doing_;
  std::size_t all_;
  std::size_t done_ = 0;
  int retries_ = 0;
  bool quiet_;
  double begun_;
  double next_;
};

}  // namespace apus
