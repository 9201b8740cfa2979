#include "servers/apus/operators/database_file.h"

#include <apus/disk.h>

#include <filesystem>

#include "framework/log/line_logger.h"

namespace apus {

ToolServices::ToolServices(const SwiftConf& swift_conf, const std::string& level)
    : conf(swift_conf), log(make_logger({.name = "info", .level = level})) {}

BrokerServices ToolServices::get() {
  return {real_disk(), clock, entropy, *log, connections, conf.constraints};
}

DatabaseFile database_file(const std::string& path) {
  namespace fs = std::filesystem;
  const fs::path file = fs::absolute(path).lexically_normal();
  const fs::path folder = file.parent_path();
  const std::string hash = folder.filename();
  const fs::path partition = folder.parent_path().parent_path();
  DatabaseFile out{{partition.parent_path().parent_path(), partition.parent_path().filename(),
                    partition.filename(), hash},
                   ""};
  const bool stored = hash.size() == 32 && file.filename().string().starts_with(hash) &&
                      out.place.folder() == folder;
  if (!stored) out = {{folder, "", "", std::string(32, '0')}, file};
  return out;
}

}  // namespace apus
