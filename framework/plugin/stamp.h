// What a shared object says of itself, read from its bytes before any of its code runs.
#pragma once

#include <apus/plugin.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

namespace apus {

/// Why a plugin cannot be used: one line that names the file, what was found and what was expected.
class APUS_API PluginError : public std::runtime_error {
 public:
  explicit PluginError(const std::string& what);
  ~PluginError() override;
};

/// Reads a plugin's stamp from the file, running none of its code. Throws PluginError for what is
/// not a shared object of this machine's kind, is cut short or has no stamp.
APUS_API PluginStamp read_stamp(const std::filesystem::path& path);

/// As `read_stamp`, of the bytes of a file that messages call `name`. Linear, bounded.
APUS_API PluginStamp parse_stamp(std::string_view bytes, const std::string& name);

/// Throws PluginError when the plugin was not built for this process: another ABI, another way.
APUS_API void check_build(const std::filesystem::path& path, const PluginStamp& stamp);

/// As `check_build`, and when the plugin is of another kind than `wanted`.
APUS_API void check_stamp(const std::filesystem::path& path, const PluginStamp& stamp,
                          PluginKind wanted);

/// "filter", "app", "daemon", "watcher".
APUS_API std::string_view kind_name(PluginKind kind);

}  // namespace apus
