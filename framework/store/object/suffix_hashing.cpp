// How one suffix folder is hashed: the part of ObjectStore that replication compares by.
#include <apus/digest.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "framework/store/object/object_store.h"
#include "framework/store/object/partition.h"

namespace apus {
namespace {

// What of an object's files makes a difference between two devices.
void feed(Digest& digest, const FileSet& files) {
  if (files.meta) digest.update(files.meta->timestamp.internal() + ".meta");
  if (files.tombstone) digest.update(files.tombstone->timestamp.internal() + ".ts");
  if (files.data) digest.update(files.data->timestamp.internal() + ".data");
  if (files.content_type) digest.update(files.content_type->internal() + "_ctype");
}

}  // namespace

HashFiles::Result ObjectStore::suffix_hashes(const PartitionPlace& place,
                                             const std::vector<std::string>& recalculate,
                                             bool list) const {
  struct stat info {};
  if (disk_.stat(place.partition_folder(), info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    throw std::system_error(errno, std::generic_category(), place.partition_folder());
  }
  if (!S_ISDIR(info.st_mode)) return {};
  const HashFiles files(disk_, clock_, entropy_, place.partition_folder());
  return files.refresh(recalculate, list,
                       [&](const std::string& suffix) { return hash_suffix(place, suffix); });
}

int ObjectStore::invalidate(const PartitionPlace& place, const std::string& suffix) const {
  return invalidate_suffix(disk_, place.partition_folder(), suffix);
}

std::optional<std::string> ObjectStore::hash_suffix(const PartitionPlace& place,
                                                    const std::string& suffix) const {
  const std::string folder = place.partition_folder() + "/" + suffix;
  std::vector<std::string> hashes;
  if (!disk_.list(folder, hashes)) {
    if (errno == ENOTDIR || errno == ENOENT) return std::nullopt;
    throw std::system_error(errno, std::generic_category(), folder);
  }
  std::sort(hashes.begin(), hashes.end());
  Digest digest(DigestKind::kMd5);
  for (const std::string& hash : hashes) {
    const auto files = clean_up_folder(folder + "/" + hash);
    if (!files) {
      const std::error_code error(errno, std::generic_category());
      if (error.value() == ENOENT) continue;
      if (error.value() != ENOTDIR && error.value() != ENODATA && error.value() != EUCLEAN)
        throw std::system_error(error, folder + "/" + hash);
      quarantine_entry(place, suffix, hash, "it cannot be listed: " + error.message());
      continue;
    }
    if (files->left > 0) feed(digest, *files);
  }
  // Nothing left in it: as if it had never been there.
  if (disk_.rmdir(folder) == 0 || errno == ENOENT) return std::nullopt;
  return digest.finish_hex();
}

}  // namespace apus
