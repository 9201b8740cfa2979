// Finds shared objects, judges them by their stamp, loads them for ever.
#pragma once

#include <apus/plugin.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace apus {

/// Why a plugin cannot be used: one line that names the file, what was found and what was expected.
class APUS_API PluginError : public std::runtime_error {
 public:
  explicit PluginError(const std::string& what);
  ~PluginError() override;
};

/// Reads a plugin's stamp from the file, running none of its code. Throws PluginError for what is
/// not a shared object, is cut short or has no stamp.
APUS_API PluginStamp read_stamp(const std::filesystem::path& path);

/// Loads plugins by name or path. Not synchronised: used while a process starts.
class APUS_API PluginLoader {
 public:
  /// Looks in `folders`, in order, then in ../lib/apus beside the executable.
  explicit PluginLoader(std::vector<std::filesystem::path> folders = {});

  /// The file of "NAME" (NAME.so in the folders) or of a path with '/'. Throws PluginError that
  /// lists the folders and the nearest name.
  [[nodiscard]] std::filesystem::path find(const std::string& plugin) const;
  [[nodiscard]] bool has(const std::string& plugin) const;

  /// Compares the stamp with this process and loads. The descriptor lives as long as the process.
  const Descriptor& load(const std::string& plugin, PluginKind wanted);

 private:
  std::vector<std::filesystem::path> folders_;
};

/// Throws PluginError when the stamp does not fit this process or `wanted`.
APUS_API void check_stamp(const std::filesystem::path& path, const PluginStamp& stamp,
                          PluginKind wanted);

APUS_API std::string_view kind_name(PluginKind kind);

}  // namespace apus
