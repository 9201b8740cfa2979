// Objects on devices, in Swift's layout: opened, written, marked deleted, quarantined.
#pragma once

#include <apus/disk.h>
#include <apus/host.h>
#include <apus/timestamp.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "framework/store/object/file_set.h"
#include "framework/store/object/known_objects.h"
#include "framework/store/object/metadata.h"
#include "framework/store/object/object_place.h"
#include "framework/store/object/suffix_hashes.h"

namespace apus {

enum class ObjectState : std::uint8_t {
  kFound,
  kMissing,       ///< never there, or quarantined just now
  kDeleted,       ///< a tombstone
  kExpired,       ///< X-Delete-At has passed
  kCollision,     ///< another name lies under this hash
  kNotSupported,  ///< the file system has no extended attributes
  kFailed,        ///< an I/O error; `error` is its errno
};

/// What is opened of an object that is there.
enum class Opening : std::uint8_t {
  kFields,  ///< its fields; `data` may stay closed
  kBytes,   ///< its .data too, or `bytes`
};

/// An object as its folder shows it now.
struct OpenObject {
  ObjectState state = ObjectState::kMissing;
  int error = 0;
  bool quarantined = false;  ///< kMissing because it was found damaged
  std::string why;           ///< of `quarantined`
  std::shared_ptr<const ObjectFields> fields = no_object_fields();  ///< kDeleted: the tombstone's
  Fd data;
  std::shared_ptr<const std::string> bytes;  ///< all of a small .data, known to match its ETag
  std::uint64_t size = 0;
  Timestamp data_timestamp;
  Timestamp timestamp;               ///< of the newest of .data and .meta, or of the tombstone
  Timestamp content_type_timestamp;  ///< when the content type was last set

  [[nodiscard]] const ObjectMetadata& metadata() const { return fields->merged; }
  [[nodiscard]] const ObjectMetadata& meta_file() const { return fields->meta_file; }
  /// The .data's own fields.
  [[nodiscard]] const ObjectMetadata& data_metadata() const {
    return fields->data_file.empty() ? fields->merged : fields->data_file;
  }
};

class ObjectStore;

/// One file on its way into an object's folder. Not committed means never there.
class APUS_API ObjectWriter {
 public:
  ObjectWriter(const ObjectStore& store, ObjectPlace place);
  ObjectWriter(const ObjectWriter&) = delete;
  ObjectWriter& operator=(const ObjectWriter&) = delete;
  ObjectWriter(ObjectWriter&&) = delete;
  ObjectWriter& operator=(ObjectWriter&&) = delete;
  ~ObjectWriter();

  /// Opens the file and reserves `size` bytes. 0, or ENOSPC when the reserve would be touched, or
  /// errno.
  int open(std::optional<std::uint64_t> size);
  /// All of the bytes, or errno.
  int write(std::span<const char> bytes);
  [[nodiscard]] std::uint64_t written() const { return written_; }
  /// Stores the metadata, makes all of it durable and visible as "TIMESTAMP.EXTENSION", removes
  /// what that makes obsolete. While a ring's partition power is being raised, `next_part_power`
  /// gives the file its name in the other partition too. 0 or errno; a failure before the file is
  /// visible leaves nothing.
  int commit(const ObjectMetadata& metadata, const std::string& file_name,
             std::optional<int> next_part_power = std::nullopt);

 private:
  int open_file();
  int give_name(const std::string& target);
  int sync_name();
  void follow_part_power(const std::string& file_name, int next_part_power);

  const ObjectStore& store_;
  ObjectPlace place_;
  Fd fd_;
  std::string
      temporary_;  ///< path of the file while it has a name of its own; empty with O_TMPFILE
  std::uint64_t written_ = 0;
  std::uint64_t unsynced_ = 0;
  bool fresh_folder_ = false;
  bool visible_ = false;
};

/// Thread-safe: all state is on the disk. What was read there is kept for as long as the disk
/// proves it true (see KnownObjects).
class APUS_API ObjectStore {
 public:
  struct Settings {
    std::uint64_t reserve_bytes = 0;
    double reserve_percent = 1;  ///< of the file system; used when reserve_bytes is 0
    bool fallocate = true;       ///< space for what is not small is asked for first
    std::uint64_t bytes_per_sync = 512ULL << 20U;
    double reclaim_age = 604800;       ///< seconds
    std::size_t known_objects = 4096;  ///< kept in memory, small ones with their bytes; 0 = none
  };
  ObjectStore(Disk& disk, Clock& clock, Logger& logger, Entropy& entropy, const SwiftConf& conf,
              Settings settings);

  /// `now` decides what has expired. A damaged object is quarantined and reported as missing. A
  /// place without a name opens what lies under its hash.
  [[nodiscard]] OpenObject open(const ObjectPlace& place, const Timestamp& now, bool open_expired,
                                Opening opening = Opening::kBytes) const;
  /// As open(), of an object that was opened before and is as it was then, which two looks at its
  /// device tell; nothing of any other.
  [[nodiscard]] std::optional<OpenObject> open_known(const ObjectPlace& place, const Timestamp& now,
                                                     bool open_expired, Opening opening) const;
  /// Bytes of at most this many are worth keeping.
  static constexpr std::size_t kKeptBytes = 4096;
  /// Tells that all of an open object's .data was read and matches its ETag.
  void keep_bytes(const ObjectPlace& place, const OpenObject& object,
                  std::shared_ptr<const std::string> bytes) const {
    known_.keep_bytes(place.folder(), object.fields, std::move(bytes));
  }
  [[nodiscard]] ObjectWriter writer(const ObjectPlace& place) const {
    return ObjectWriter(*this, place);
  }
  /// Moves the object's folder to DEVICE/quarantined/DIRECTORY and says why in the log.
  void quarantine(const ObjectPlace& place, const std::string& why) const;
  /// Queues an update for another server: DEVICE/async_pending[-N]/xyz/HASH-TIMESTAMP. 0 or errno.
  int queue_update(const PartitionPlace& place, const std::string& hash, const Timestamp& timestamp,
                   const std::string& pickle) const;

  /// Hashes of the partition's suffixes (see HashFiles::refresh); none when it has no folder.
  [[nodiscard]] HashFiles::Result suffix_hashes(const PartitionPlace& place,
                                                const std::vector<std::string>& recalculate,
                                                bool list) const;
  /// The suffix (3 hex digits) will be hashed anew at the next look. 0 or errno.
  int invalidate(const PartitionPlace& place, const std::string& suffix) const;
  /// Removes what is obsolete or past its reclaim age and tells what is left of an object's folder;
  /// nothing when its folder is gone or cannot be listed (`errno` tells).
  std::optional<FileSet> clean_up(const ObjectPlace& place) const {
    return clean_up_folder(place.folder());
  }
  [[nodiscard]] const SwiftConf& swift_conf() const { return conf_; }
  [[nodiscard]] Disk& disk() const { return disk_; }

 private:
  friend class ObjectWriter;
  bool find_known(const ObjectPlace& place, Opening opening, OpenObject& out) const;
  bool open_listed(const ObjectPlace& place, OpenObject& out) const;
  bool open_files(const ObjectPlace& place, const FileSet& files, OpenObject& out,
                  FileStamp& data_stamp) const;
  void open_tombstone(const ObjectPlace& place, const ObjectFile& file, OpenObject& out) const;
  [[nodiscard]] std::string fault(const ObjectPlace& place, const OpenObject& object) const;
  void set_aside(const ObjectPlace& place, const std::string& why, OpenObject& out) const;
  void quarantine_entry(const PartitionPlace& place, const std::string& suffix,
                        const std::string& entry, const std::string& why) const;
  std::optional<FileSet> clean_up_folder(const std::string& folder) const;
  [[nodiscard]] std::optional<std::string> hash_suffix(const PartitionPlace& place,
                                                       const std::string& suffix) const;
  [[nodiscard]] bool has_room(int fd, std::uint64_t size) const;

  Disk& disk_;
  Clock& clock_;
  Logger& logger_;
  Entropy& entropy_;
  const SwiftConf& conf_;
  Settings settings_;
  mutable KnownObjects known_;
};

}  // namespace apus
