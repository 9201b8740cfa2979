// The watchers that [object-auditor] names.
#pragma once

#include <apus/audit_watcher.h>

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "framework/log/prefixed_logger.h"

namespace apus {

/// Loaded once for all passes. Immutable then.
class WatcherPlugins {
 public:
  /// `watchers` is a list of names, "dark_data" or "egg:swift#dark_data"; options are those of
  /// [object-auditor:watcher:NAME] of the same conf over those of `options`. Throws
  /// std::runtime_error for one that cannot be loaded and for options that do not fit.
  explicit WatcherPlugins(const Options& options);

  struct One {
    std::string name;
    const WatcherDescriptor* plugin;
    Options options;
  };
  [[nodiscard]] const std::list<One>& all() const { return all_; }

 private:
  std::list<One> all_;
};

/// Those of one pass. One thread.
class Watchers {
 public:
  /// Makes each; one that throws is told in `log` and does not see anything. All references outlive
  /// this.
  Watchers(const WatcherPlugins& plugins, Host& host, Logger& log);

  void start(AuditKind kind);
  /// The name of the watcher that wants the object in quarantine, or empty.
  std::string see_object(const AuditedObject& object);
  void end();

 private:
  struct One {
    std::string name;
    std::unique_ptr<PrefixedLogger> log;
    std::unique_ptr<AuditWatcher> watcher;  ///< null: it failed
  };
  std::vector<One> all_;
};

}  // namespace apus
