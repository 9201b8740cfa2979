// One conf on its way to a server: read, resolved, its plugins loaded, all of it checked, nothing
// made yet.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/pipeline/pipeline.h"

namespace apus {

struct ServerPlan {
  std::filesystem::path path;  ///< as it was named
  PasteConf conf;
  Options options;  ///< the server's own, checked against `server_options`
  LoadedApp loaded;

  /// What the server is called: the app's section, "proxy-server".
  [[nodiscard]] APUS_API std::string name() const;
};

/// Reads a conf file or conf.d folder and swift.conf's neighbours it names, loads what it names and
/// checks every option of every section, collecting all problems. `strict_config` makes each
/// warning an error; `plugin_path` adds folders to look for plugins in.
APUS_API ServerPlan plan_server(const std::filesystem::path& path,
                                std::vector<ConfProblem>& problems);

}  // namespace apus
