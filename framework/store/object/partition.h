// A partition's folder: its lock, and the journal of suffixes whose hash is stale.
#pragma once

#include <apus/disk.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace apus {

/// Takes FOLDER/.lock[NAME] as Swift's processes take it. Falsy with errno ETIMEDOUT after
/// `patience`.
APUS_API Fd lock_folder(Disk& disk, const std::string& folder, std::chrono::milliseconds patience,
                        std::string_view name = {});

/// Makes the folder and its missing parents; fsyncs the parent of each new one when `durable`. 0 or
/// errno.
APUS_API int make_folders(Disk& disk, const std::string& folder, bool durable);
APUS_API int sync_folder(Disk& disk, const std::string& folder);
/// Whether the path is a folder, or a link to one; errno says why it is none.
APUS_API bool is_folder(Disk& disk, const std::string& path);

/// Appends the suffix (3 hex digits) to FOLDER/hashes.invalid under the partition's lock, so that
/// the next look at hashes.pkl hashes it again. Best effort, as in Swift: 0 or errno.
APUS_API int invalidate_suffix(Disk& disk, const std::string& partition, std::string_view suffix);

}  // namespace apus
