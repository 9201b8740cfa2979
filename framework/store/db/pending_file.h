// Rows that wait beside a database: each a ':' and the base64 of a pickled tuple, as Swift's.
#pragma once

#include <apus/disk.h>

#include <string>
#include <string_view>
#include <vector>

#include "framework/pickle/pickle.h"

namespace apus {

/// A file larger than this is merged into its database by whoever writes to it next.
inline constexpr std::uint64_t kPendingLimit = 131072;

/// The tuples of a pending file's text. What is no base64, no pickle or no tuple goes to `bad`.
APUS_API std::vector<pickle::Ref> read_pending_rows(std::string_view text,
                                                    std::vector<std::string>& bad);

/// A row as the file holds it.
APUS_API std::string pending_record(std::string_view pickle);

/// Appends records; the caller holds the folder's lock. The file's new size. Throws
/// std::system_error, and has appended nothing then.
APUS_API std::uint64_t append_pending(Disk& disk, const std::string& path,
                                      std::string_view records);

}  // namespace apus
