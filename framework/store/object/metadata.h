// An object's metadata: header fields in a pickle, in extended attributes.
#pragma once

#include <apus/disk.h>
#include <apus/headers.h>

#include <optional>
#include <string>
#include <string_view>

namespace apus {

/// Fields as on the wire (names in title case but "ETag" and "name"), in the order they are stored.
/// `name` is the object's path "/a/c/o" in raw bytes.
using ObjectMetadata = Headers;

/// The pickle as Python 3 Swift writes it: protocol 2, bytes for all, header texts as UTF-8 of
/// latin-1.
APUS_API std::string encode_metadata(const ObjectMetadata& metadata);
/// Reads what Python 2 and 3 wrote. Nothing when it is no dict of strings and numbers.
APUS_API std::optional<ObjectMetadata> decode_metadata(std::string_view pickle);

enum class XattrResult : std::uint8_t { kGood, kDamaged, kNotSupported };

/// Reads user.swift.metadata[N] and checks user.swift.metadata_checksum when it is there.
APUS_API XattrResult read_metadata(Disk& disk, int fd, ObjectMetadata& out);
/// Adds the checksum to metadata that has none, as Swift wrote it before 2.16. 0 or errno.
APUS_API int add_missing_checksum(Disk& disk, int fd);
/// Writes both. 0, or the errno of the first call that failed (ENOSPC and EDQUOT: no room).
APUS_API int write_metadata(Disk& disk, int fd, const ObjectMetadata& metadata);

}  // namespace apus
