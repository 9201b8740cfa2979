// Whether a folder is where a file system is mounted.
#pragma once

#include <apus/abi.h>

#include <string>

namespace apus {

/// True for the root of a mounted file system, and for a folder (or a link to one) that holds a
/// file
/// ".ismount", as operators put it in containers. False when it cannot be found out.
APUS_API bool is_mount_point(const std::string& path);

}  // namespace apus
