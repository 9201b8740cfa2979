// Where an audit stands on one device: Swift's auditor_status_ALL.json and auditor_status_ZBF.json.
#pragma once

#include <apus/host.h>

#include <span>
#include <string>
#include <vector>

namespace apus {

/// The file of one kind of audit in one folder of objects: {"partitions": [those still to do]}.
class AuditStatus {
 public:
  /// `folder` is DEVICE/objects[-N], `kind` "ALL" or "ZBF".
  AuditStatus(Host& host, Logger& log, const std::string& folder, const std::string& kind);

  /// Names of the partitions that are still to do: those of an audit that was broken off, else all
  /// entries of the folder. A name that is none of an entry is left out.
  [[nodiscard]] std::vector<std::string> read() const;
  /// How many `read` would give.
  [[nodiscard]] std::size_t count() const;
  /// Writes what is left, not more often than once a minute unless nothing is left or `now`.
  void write(std::span<const std::string> left, bool now = false) const;
  void clear() const;

 private:
  Host& host_;
  Logger& log_;
  std::string folder_;
  std::string path_;
};

}  // namespace apus
