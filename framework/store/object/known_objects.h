// Fields of objects that were read lately, for as long as the disk shows that they still hold.
#pragma once

#include <apus/disk.h>
#include <apus/timestamp.h>

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "framework/store/object/metadata.h"

namespace apus {

/// What the files of an object say. Immutable once shared.
struct ObjectFields {
  ObjectMetadata merged;     ///< of .data with .meta over it
  ObjectMetadata meta_file;  ///< the newest .meta's own fields, empty without one
  ObjectMetadata data_file;  ///< the .data's own fields, empty when there is no .meta over it
};
/// Fields of nothing.
APUS_API const std::shared_ptr<const ObjectFields>& no_object_fields();

/// Which file or folder, in which state: equal stamps mean that nothing was changed in between, if
/// the first was settled.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t changed = 0;  ///< ns

  FileStamp() = default;
  explicit FileStamp(const struct stat& info);
  bool operator==(const FileStamp&) const = default;
};

/// An object whose folder holds one .data and nothing that changes it.
struct KnownObject {
  FileStamp folder;
  FileStamp data;
  std::string data_path;
  Timestamp timestamp;  ///< the .data's
  std::shared_ptr<const ObjectFields> fields;
  std::shared_ptr<const std::string> bytes;  ///< of a small .data once they were checked, or null
};

/// Least recently used ones go first. Thread-safe, in shards; no lock is held across I/O.
///
/// Why this is never stale: whoever puts, removes or renames a file in a folder, in this process or
/// another, changes the folder's ctime, and whoever changes a file's bytes or attributes the
/// file's; neither can be set back. A reader compares both at every use. File systems stamp changes
/// with a clock that stands still for some milliseconds, so an object is only kept when both stamps
/// were older than that when they were taken (`is_settled`): a change after that shows.
class APUS_API KnownObjects {
 public:
  explicit KnownObjects(std::size_t most);

  [[nodiscard]] bool on() const { return per_shard_ > 0; }
  /// `folder` is the object's path.
  [[nodiscard]] std::shared_ptr<const KnownObject> find(std::string_view folder);
  void keep(const std::string& folder, KnownObject object);
  /// Adds the bytes to the object with these very `fields`, if it is still known.
  void keep_bytes(std::string_view folder, const std::shared_ptr<const ObjectFields>& fields,
                  std::shared_ptr<const std::string> bytes);
  void forget(std::string_view folder);

  /// `now` is Disk::change_time, asked before the stamp was taken.
  static bool is_settled(const FileStamp& stamp, const timespec& now);

 private:
  struct Entry {
    std::string folder;
    std::shared_ptr<const KnownObject> object;
  };
  struct Shard {
    std::mutex mutex;
    std::list<Entry> entries;  ///< used last first
    std::unordered_map<std::string_view, std::list<Entry>::iterator> by_folder;
  };
  Shard& shard_of(std::string_view folder);

  static constexpr std::size_t kShards = 16;
  std::size_t per_shard_;
  std::array<Shard, kShards> shards_;
};

}  // namespace apus
