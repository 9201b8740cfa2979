// Audit watchers: plugins that see every object which the object auditor found whole.
#pragma once

#include <apus/headers.h>
#include <apus/plugin.h>

#include <cstdint>
#include <memory>
#include <string>

namespace apus {

/// Which of its two passes the auditor makes.
enum class AuditKind : std::uint8_t {
  kAll,       ///< "ALL": every byte was read
  kZeroByte,  ///< "ZBF": names, sizes and metadata alone
};

/// What becomes of an object that was seen.
enum class AuditVerdict : std::uint8_t {
  kKeep,
  kQuarantine,  ///< moved to DEVICE/quarantined, as if it were damaged
};

/// One object. The references hold for the call alone.
struct AuditedObject {
  /// As Swift stores it, raw bytes: "name" ("/account/container/object"), "X-Timestamp",
  /// "Content-Length", "ETag", "X-Object-Meta-...": of the .data with the newest .meta over it.
  const Headers& metadata;
  const std::string& data_file;  ///< path; it may be gone by now
};

/// One pass of the auditor has one of its own, and calls it from one thread; passes run at the same
/// time. A call that throws is told in the log: start and end so that nothing is called until the
/// next pass, see_object so that the object is kept.
class AuditWatcher {
 public:
  AuditWatcher() = default;
  AuditWatcher(const AuditWatcher&) = delete;
  AuditWatcher& operator=(const AuditWatcher&) = delete;
  virtual ~AuditWatcher() = default;

  /// Before the first object of a pass.
  virtual void start(AuditKind kind) = 0;
  /// Holds up the auditor for as long as it takes. Damaged, deleted and expired objects are not
  /// shown.
  virtual AuditVerdict see_object(const AuditedObject& object) = 0;
  /// Behind the last object. Not called when the pass was stopped: then the destructor is all.
  virtual void end() = 0;
};

/// What a watcher's factory gets. The references outlive what it makes.
struct WatcherArgs {
  /// Of [object-auditor:watcher:NAME] over those of [object-auditor].
  const Options& options;
  Host& host;
  Logger& log;  ///< the auditor's; lines start with "[audit-watcher NAME] "
};

/// The kind in the stamp of such a plugin.
inline constexpr auto kWatcherPlugin = static_cast<PluginKind>(4);

/// Exported as `apus_watcher`, beside a Descriptor that has the options and none of its factories.
struct WatcherDescriptor {
  std::unique_ptr<AuditWatcher> (*make)(const WatcherArgs& args);
};

namespace detail {
template <typename T>
std::unique_ptr<AuditWatcher> make_watcher(const WatcherArgs& args) {
  return std::make_unique<T>(args);
}
}  // namespace detail
}  // namespace apus

/// The last line of a watcher's file. `TYPE` is an AuditWatcher with the constructor
/// `TYPE(const WatcherArgs&)`, which throws std::exception when it cannot work: objects are audited
/// without it then, and the log says so. NAME is the .so's name and the one in `watchers`.
#define APUS_EXPORT_WATCHER(NAME, VERSION, TYPE, OPTIONS)      \
  APUS_PLUGIN_STAMP_(NAME, VERSION, ::apus::kWatcherPlugin, 0) \
  APUS_PLUGIN_(OPTIONS, nullptr, nullptr, nullptr)             \
  extern "C" __attribute__((visibility("default"), used))      \
  const ::apus::WatcherDescriptor apus_watcher = {(&::apus::detail::make_watcher<TYPE>)};
