// Small conf files that plugins read on their own: memcache.conf, realms, limits.
#pragma once

#include <apus/abi.h>

#include <map>
#include <optional>
#include <string>

namespace apus {

/// Section name -> option name (lower case) -> value. [DEFAULT]'s options are in every section.
using IniSections =
    std::map<std::string, std::map<std::string, std::string, std::less<>>, std::less<>>;

/// Reads as Python's ConfigParser does, %(name)s replaced. Nothing when there is no such file.
/// Throws std::runtime_error with "FILE:LINE: ..." when it cannot be read or is malformed.
APUS_API std::optional<IniSections> read_ini(const std::string& path);

}  // namespace apus
