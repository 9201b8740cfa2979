// Reads swift.conf into what the servers share.
#pragma once

#include <apus/swift_conf.h>

#include <filesystem>
#include <string_view>
#include <vector>

#include "framework/conf/ini_file.h"

namespace apus {

/// Reads FOLDER/swift.conf. Throws std::runtime_error with one line a problem when it is missing or
/// wrong: no hash prefix and suffix, unknown or conflicting policy options, limits that are no
/// numbers.
APUS_API SwiftConf load_swift_conf(const std::filesystem::path& folder);

/// The same with all problems appended, warnings too, and none thrown.
APUS_API SwiftConf read_swift_conf(const std::filesystem::path& folder,
                                   std::vector<ConfProblem>& problems);

/// The same from a file read with ConfDialect::kSwiftConf.
APUS_API SwiftConf swift_conf_from(const ConfFile& file, std::vector<ConfProblem>& problems);

}  // namespace apus
