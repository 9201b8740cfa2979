// What lies below the devices folder, as swift-recon wants it.
#pragma once

#include <apus/json.h>

#include <optional>
#include <string>

namespace apus::recon {

/// {FOLDER: [names]}, null instead of the names when it cannot be read.
Json devices(const std::string& folder);
/// Folders that are no mount points. Nothing when `folder` cannot be read, as below.
std::optional<Json> unmounted(const std::string& folder);
/// Bytes of each mounted device.
std::optional<Json> disk_usage(const std::string& folder);
/// How much was quarantined: objects (by policy too), containers, accounts.
std::optional<Json> quarantined(const std::string& folder);
/// Hex MD5 of a file; nothing when it cannot be read.
std::optional<std::string> file_md5(const std::string& path);

}  // namespace apus::recon
