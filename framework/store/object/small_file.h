// Whole files that are read at once, and replaced at once.
#pragma once

#include <apus/disk.h>

#include <optional>
#include <string>
#include <string_view>

namespace apus {

/// All bytes of a file. Nothing with errno set when it cannot be read; EFBIG when it holds more
/// than `limit` bytes.
APUS_API std::optional<std::string> read_small_file(Disk& disk, const std::string& path,
                                                    std::size_t limit);

/// Writes FOLDER/TEMPORARY, makes it durable and renames it to `path`, whose folder is synced then.
/// 0 or errno; after a failure nothing new is left. Not `durable`, for what can be made again: no
/// sync at all, after a crash the old file, the new one or rubbish has the name.
APUS_API int write_small_file(Disk& disk, const std::string& folder, const std::string& temporary,
                              const std::string& path, std::string_view bytes, bool durable = true);

}  // namespace apus
