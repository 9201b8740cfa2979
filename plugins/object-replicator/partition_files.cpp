#include "plugins/object-replicator/partition_files.h"

#include <algorithm>
#include <cctype>
#include <cerrno>

#include "framework/store/object/partition.h"

namespace apus {
namespace {

// A file that rsync is still writing: ".NAME.XXXXXX".
bool is_rsync_temporary(const std::string& name) {
  constexpr std::size_t kTail = 7;
  if (!name.starts_with('.') || name.size() < kTail + 2) return false;
  const std::string tail = name.substr(name.size() - kTail);
  return tail.front() == '.' && std::all_of(tail.begin() + 1, tail.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '_';
         });
}

// What a partition holds besides its suffixes, and may go with the last of them.
bool is_housekeeping(const std::string& name) {
  return name == "hashes.pkl" || name == "hashes.invalid" || name == ".lock" ||
         name == ".lock-replication" || (name.starts_with("tmp") && name.ends_with(".tmp"));
}

}  // namespace

PartitionFiles::PartitionFiles(const ObjectStore& store, PartitionPlace place)
    : store_(store),
      disk_(store.disk()),
      place_(std::move(place)),
      folder_(place_.partition_folder()) {
  std::vector<std::string> names;
  disk_.list(folder_, names);
  std::sort(names.begin(), names.end());
  for (const std::string& suffix : names) {
    if (suffix.size() != 3 || !is_folder(disk_, folder_ + "/" + suffix)) continue;
    suffixes_.push_back(suffix);
    std::vector<std::string> hashes;
    disk_.list(folder_ + "/" + suffix, hashes);
    auto& in_suffix = files_[suffix];
    for (const std::string& hash : hashes)
      disk_.list(folder_ + "/" + suffix + "/" + hash, in_suffix[hash]);
  }
}

bool PartitionFiles::remove_all_but(const std::set<std::string>& kept) const {
  return remove_where(kept, false);
}
bool PartitionFiles::remove(const std::set<std::string>& hashes) const {
  return remove_where(hashes, true);
}

bool PartitionFiles::remove_where(const std::set<std::string>& hashes, bool listed) const {
  for (const auto& [suffix, objects] : files_) {
    const std::string in = folder_ + "/" + suffix;
    for (const auto& [hash, names] : objects) {
      if (hashes.contains(hash) != listed) continue;
      for (const std::string& name : names) {
        if (!is_rsync_temporary(name)) disk_.unlink(in + "/" + hash + "/" + name);
      }
      // Not a folder: what no object server can have made.
      if (disk_.rmdir(in + "/" + hash) != 0 && errno == ENOTDIR) disk_.unlink(in + "/" + hash);
    }
    disk_.rmdir(in);
  }
  if (remove_folder()) return true;
  for (const std::string& suffix : suffixes_) store_.invalidate(place_, suffix);
  return false;
}

// A writer that comes in between makes the folder anew, or finds no hashes.pkl and all is hashed.
bool PartitionFiles::remove_folder() const {
  std::vector<std::string> names;
  if (!disk_.list(folder_, names)) return true;
  if (!std::all_of(names.begin(), names.end(), is_housekeeping)) return false;
  for (const std::string& name : names) disk_.unlink(folder_ + "/" + name);
  return disk_.rmdir(folder_) == 0;
}

}  // namespace apus
