// One pass over the objects of some devices: each is opened, and read unless only its metadata is
// looked at; what is damaged goes to quarantine.
#pragma once

#include <apus/audit_watcher.h>
#include <apus/host.h>

#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "framework/backend/backend.h"
#include "framework/backend/pace.h"
#include "framework/backend/recon_cache.h"
#include "framework/store/object/object_store.h"
#include "plugins/object-auditor/audit_settings.h"
#include "plugins/object-auditor/watchers.h"

namespace apus {

/// One thread.
class AuditPass {
 public:
  /// `devices` are names below the root, all when empty; `mode` is "once" or "forever".
  AuditPass(Host& host, Logger& log, const AuditSettings& settings, const WatcherPlugins& watchers,
            AuditKind kind, double rate, std::vector<std::string> devices, std::string mode);
  void run(const std::stop_token& stop);

 private:
  struct Counts {
    std::int64_t passes = 0;
    std::int64_t quarantined = 0;
    std::int64_t errors = 0;
    std::uint64_t bytes = 0;
  };

  void audit(const ObjectPlace& place, const std::stop_token& stop);
  void audit_open(const ObjectPlace& place, OpenObject& object, const FileSet& files,
                  const std::stop_token& stop);
  bool read_body(const ObjectPlace& place, const OpenObject& object, const FileSet& files,
                 const std::stop_token& stop);
  void show(const ObjectPlace& place, const OpenObject& object, const FileSet& files);
  bool set_aside(const ObjectPlace& place, const FileSet& files, const std::string& why);
  void add_checksums(const ObjectPlace& place, const OpenObject& object, const FileSet& files);
  void drop_temporaries(const ObjectPlace& place, const std::vector<std::string>& names);
  void tell_quarantined(const ObjectPlace& place, const std::string& why);
  void fail(const ObjectPlace& place, const std::string& why);
  void count_size(std::uint64_t size);
  void report(double now);
  void report_end(double now);

  Host& host_;
  Logger& log_;
  const AuditSettings& settings_;
  AuditKind kind_;
  std::string kind_name_;    ///< "ALL" or "ZBF"
  std::string description_;  ///< of the devices, for the log
  std::vector<std::string> devices_;
  std::string mode_;
  Devices mounted_;
  ReconCache recon_;
  ObjectStore store_;
  Pace file_pace_;
  Pace byte_pace_;
  Watchers watchers_;
  std::vector<char> buffer_;
  Counts window_;  ///< since the last report
  Counts whole_;
  std::int64_t files_ = 0;
  double begin_ = 0;
  double reported_ = 0;
  double auditing_ = 0;                         ///< seconds without the waits
  std::map<std::int64_t, std::int64_t> sizes_;  ///< objects up to a size
  std::int64_t oversize_ = 0;
};

}  // namespace apus
