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
#include "framework/store/object/metadata.h"

namespace apus {

/// Where one object lies. Plain texts, already checked (no '/', no "..").
struct ObjectPlace {
  std::string device;     ///< folder of the device
  std::string directory;  ///< "objects" or "objects-N"
  std::string partition;
  std::string hash;  ///< 32 hex digits
  std::string name;  ///< "/account/container/object"

  [[nodiscard]] std::string partition_folder() const {
    return device + "/" + directory + "/" + partition;
  }
  [[nodiscard]] std::string suffix() const { return hash.substr(29); }
  [[nodiscard]] std::string folder() const {
    return partition_folder() + "/" + suffix() + "/" + hash;
  }
};

enum class ObjectState : std::uint8_t {
  kFound,
  kMissing,       ///< never there, or quarantined just now
  kDeleted,       ///< a tombstone
  kExpired,       ///< X-Delete-At has passed
  kCollision,     ///< another name lies under this hash
  kNotSupported,  ///< the file system has no extended attributes
  kFailed,        ///< an I/O error; `error` is its errno
};

/// An object as its folder shows it now.
struct OpenObject {
  ObjectState state = ObjectState::kMissing;
  int error = 0;
  ObjectMetadata metadata;   ///< of .data with .meta over it; kFound and kExpired
  ObjectMetadata meta_file;  ///< the newest .meta's own fields, empty without one
  Fd data;
  std::uint64_t size = 0;
  Timestamp data_timestamp;
  Timestamp timestamp;               ///< of the newest of .data and .meta, or of the tombstone
  Timestamp content_type_timestamp;  ///< when the content type was last set
};

class ObjectStore;

/// One file on its way into an object's folder. Not committed means never there.
class APUS_API ObjectWriter {
 public:
  ObjectWriter(const ObjectStore& store, ObjectPlace place);
  ObjectWriter(ObjectWriter&&) noexcept = default;

  /// Opens the file and reserves `size` bytes. 0, or ENOSPC when the reserve would be touched, or
  /// errno.
  int open(std::optional<std::uint64_t> size);
  /// All of the bytes, or errno.
  int write(std::span<const char> bytes);
  [[nodiscard]] std::uint64_t written() const { return written_; }
  /// Stores the metadata, makes all of it durable and visible as "TIMESTAMP.EXTENSION", removes
  /// what that makes obsolete. 0 or errno.
  int commit(const ObjectMetadata& metadata, const std::string& file_name);

 private:
  const ObjectStore& store_;
  ObjectPlace place_;
  Fd fd_;
  std::uint64_t written_ = 0;
  std::uint64_t unsynced_ = 0;
  bool fresh_folder_ = false;
};

/// Thread-safe: all state is on the disk.
class APUS_API ObjectStore {
 public:
  struct Settings {
    std::uint64_t reserve_bytes = 0;
    double reserve_percent = 1;  ///< of the file system; used when reserve_bytes is 0
    bool fallocate = true;
    std::uint64_t bytes_per_sync = 512ULL << 20U;
    double reclaim_age = 604800;  ///< seconds
  };
  ObjectStore(Disk& disk, Clock& clock, Logger& logger, Entropy& entropy, Settings settings);

  /// `now` decides what has expired. A damaged object is quarantined and reported as missing.
  [[nodiscard]] OpenObject open(const ObjectPlace& place, const Timestamp& now,
                                bool open_expired) const;
  [[nodiscard]] ObjectWriter writer(const ObjectPlace& place) const { return {*this, place}; }
  /// Moves the object's folder to DEVICE/quarantined/DIRECTORY and says why in the log.
  void quarantine(const ObjectPlace& place, const std::string& why) const;
  /// Queues an update for another server: DEVICE/async_pending[-N]/xyz/HASH-TIMESTAMP. 0 or errno.
  int queue_update(const std::string& device, const std::string& directory, const std::string& hash,
                   const Timestamp& timestamp, const std::string& pickle) const;

 private:
  friend class ObjectWriter;
  void clean_up(const ObjectPlace& place) const;
  void open_files(const ObjectPlace& place, const FileSet& files, OpenObject& out) const;
  void merge(OpenObject& out, const FileSet& files, ObjectMetadata data,
             const ObjectMetadata& type_file) const;
  [[nodiscard]] std::string fault(const OpenObject& object) const;
  [[nodiscard]] bool has_room(int fd, std::uint64_t size) const;

  Disk& disk_;
  Clock& clock_;
  Logger& logger_;
  Entropy& entropy_;
  Settings settings_;
};

}  // namespace apus
