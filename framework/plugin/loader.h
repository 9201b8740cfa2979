// Finds shared objects, judges them by their stamp, loads them for ever.
#pragma once

#include <apus/audit_watcher.h>
#include <apus/plugin.h>

#include <filesystem>
#include <string>
#include <vector>

#include "framework/plugin/stamp.h"

namespace apus {

/// Loads plugins by name or path. Not synchronised: used while a process starts.
class APUS_API PluginLoader {
 public:
  /// Looks in `folders`, in order, then in ../lib/apus beside the executable, then in apus beside
  /// libapus.
  explicit PluginLoader(std::vector<std::filesystem::path> folders = {});

  /// The file of "NAME" (NAME.so in the folders) or of a path with '/'. Throws PluginError that
  /// lists the folders and the nearest name.
  [[nodiscard]] std::filesystem::path find(const std::string& plugin) const;
  [[nodiscard]] bool has(const std::string& plugin) const;
  /// Names of all plugins in the folders, sorted.
  [[nodiscard]] std::vector<std::string> names() const;

  /// Compares the stamp with this process and loads. The descriptor lives as long as the process.
  const Descriptor& load(const std::string& plugin, PluginKind wanted);
  using Check = void (*)(const Options&);
  /// What a loaded plugin exported with APUS_EXPORT_CHECK; null = nothing.
  [[nodiscard]] static Check check_of(const Descriptor& loaded);
  /// What a loaded plugin of kWatcherPlugin exported with APUS_EXPORT_WATCHER. Throws PluginError
  /// when it is not there.
  [[nodiscard]] static const WatcherDescriptor& watcher_of(const Descriptor& loaded);

 private:
  std::vector<std::filesystem::path> folders_;
};

}  // namespace apus
