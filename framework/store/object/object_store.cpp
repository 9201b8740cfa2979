#include "framework/store/object/object_store.h"

#include <apus/digest.h>
#include <apus/text.h>
#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "framework/store/object/partition.h"

namespace apus {
namespace {

bool from_data_file(std::string_view name) {
  return same_name(name, "Content-Length") || same_name(name, "ETag") ||
         same_name(name, "deleted") || same_name(name, "X-Static-Large-Object") ||
         starts_with_name(name, "X-Object-Sysmeta-") || same_name(name, "name");
}

}  // namespace

ObjectStore::ObjectStore(Disk& disk, Clock& clock, Logger& logger, Entropy& entropy,
                         Settings settings)
    : disk_(disk), clock_(clock), logger_(logger), entropy_(entropy), settings_(settings) {}

OpenObject ObjectStore::open(const ObjectPlace& place, const Timestamp& now,
                             bool open_expired) const {
  OpenObject out;
  std::vector<std::string> names;
  if (!disk_.list(place.folder(), names)) {
    out.error = errno;
    if (errno == ENOENT) return out;
    if (errno == ENOTDIR || errno == ENODATA || errno == EUCLEAN) {
      quarantine(place, std::string("its folder cannot be listed: ") + std::strerror(errno));
      return out;
    }
    out.state = ObjectState::kFailed;
    return out;
  }
  const FileSet files = choose_files(names);
  if (files.data) {
    open_files(place, files, out);
    if (out.state == ObjectState::kFound && !open_expired) {
      if (const auto expiry = parse_int(out.metadata.get("X-Delete-At"));
          expiry && Timestamp::from_seconds(static_cast<double>(*expiry)) <= now) {
        out.state = ObjectState::kExpired;
      }
    }
    return out;
  }
  if (files.tombstone) {
    out.state = ObjectState::kDeleted;
    out.timestamp = files.tombstone->timestamp;
  }
  return out;
}

void ObjectStore::open_files(const ObjectPlace& place, const FileSet& files,
                             OpenObject& out) const {
  const std::string folder = place.folder() + "/";
  out.data = Fd(disk_, disk_.open(folder + files.data->name, O_RDONLY | O_NOATIME));
  if (!out.data && errno == EPERM)
    out.data = Fd(disk_, disk_.open(folder + files.data->name, O_RDONLY));
  if (!out.data) {
    out.error = errno;
    out.state = errno == ENOENT ? ObjectState::kMissing : ObjectState::kFailed;
    return;
  }
  ObjectMetadata data;
  ObjectMetadata type_file;
  struct Part {
    const std::optional<ObjectFile>& file;
    ObjectMetadata& to;
  };
  XattrResult result = read_metadata(disk_, out.data.get(), data);
  for (const Part part :
       {Part{files.meta, out.meta_file}, Part{files.content_type_meta, type_file}}) {
    if (!part.file || result != XattrResult::kGood) continue;
    const Fd meta(disk_, disk_.open(folder + part.file->name, O_RDONLY));
    result = meta ? read_metadata(disk_, meta.get(), part.to) : XattrResult::kDamaged;
  }
  if (result == XattrResult::kNotSupported) {
    out.state = ObjectState::kNotSupported;
    return;
  }
  if (result == XattrResult::kDamaged) {
    quarantine(place, "its metadata cannot be read");
    return;
  }
  struct stat info {};
  if (disk_.fstat(out.data.get(), info) != 0) {
    out.error = errno;
    out.state = ObjectState::kFailed;
    return;
  }
  out.size = static_cast<std::uint64_t>(info.st_size);
  merge(out, files, std::move(data), type_file);
  if (out.metadata.has("name") && out.metadata.get("name") != place.name) {
    out.state = ObjectState::kCollision;
    return;
  }
  const std::string wrong = fault(out);
  if (!wrong.empty()) {
    quarantine(place, wrong);
    return;
  }
  out.state = ObjectState::kFound;
}

// Swift's rule: a .meta replaces everything but what belongs to the data itself.
void ObjectStore::merge(OpenObject& out, const FileSet& files, ObjectMetadata data,
                        const ObjectMetadata& type_file) const {
  out.data_timestamp = files.data->timestamp;
  out.timestamp = files.meta ? files.meta->timestamp : files.data->timestamp;
  out.content_type_timestamp = files.data->timestamp;
  if (!files.meta) {
    out.metadata = std::move(data);
    return;
  }
  out.metadata = out.meta_file;
  std::string type(data.get("Content-Type"));
  const auto newer_type = [&](const ObjectMetadata& from) {
    const auto when = Timestamp::parse(from.get("Content-Type-Timestamp"));
    if (!when || !from.has("Content-Type") || *when <= out.content_type_timestamp) return;
    out.content_type_timestamp = *when;
    type = from.get("Content-Type");
  };
  newer_type(out.meta_file);
  newer_type(type_file);
  for (const auto& [name, value] : data) {
    if (from_data_file(name)) out.metadata.set(name, value);
  }
  // `set` spells names in title case; these two are stored otherwise.
  out.metadata.set("Content-Type", type);
  out.metadata.erase("Content-Type-Timestamp");
}

std::string ObjectStore::fault(const OpenObject& object) const {
  if (!object.metadata.has("name")) return "its metadata has no name";
  if (const std::string* expiry = object.metadata.find("X-Delete-At");
      expiry != nullptr && !parse_int(*expiry)) {
    return "its X-Delete-At is no number";
  }
  const auto length = parse_int(object.metadata.get("Content-Length"));
  if (!length) return "its metadata has no Content-Length";
  if (*length < 0 || static_cast<std::uint64_t>(*length) != object.size) {
    return "its Content-Length is " + std::to_string(*length) + ", its file has " +
           std::to_string(object.size);
  }
  return "";
}

void ObjectStore::quarantine(const ObjectPlace& place, const std::string& why) const {
  const std::string folder = place.folder();
  const std::string target_folder = place.device + "/quarantined/" + place.directory;
  make_folders(disk_, target_folder, false);
  invalidate_suffix(disk_, place.partition_folder(), place.suffix());
  std::string target = target_folder + "/" + place.hash;
  if (disk_.rename(folder, target) != 0 && (errno == EEXIST || errno == ENOTEMPTY)) {
    target += "-" + entropy_.hex(16);
    if (disk_.rename(folder, target) != 0) target = "nowhere: " + std::string(std::strerror(errno));
  }
  logger_.error("Quarantined object " + folder + ": " + why + "; moved to " + target);
}

// Removes what the newest files made obsolete.
void ObjectStore::clean_up(const ObjectPlace& place) const {
  const std::string folder = place.folder();
  std::vector<std::string> names;
  if (!disk_.list(folder, names)) return;
  FileSet files = choose_files(names);
  const Timestamp horizon = Timestamp::from_seconds(clock_.now() - settings_.reclaim_age);
  for (const ObjectFile& file : files.reclaimable) {
    if (file.timestamp < horizon) files.obsolete.push_back(file.name);
  }
  if (files.tombstone && files.tombstone->timestamp < horizon)
    files.obsolete.push_back(files.tombstone->name);
  for (const std::string& name : files.obsolete) disk_.unlink(folder + "/" + name);
  if (files.obsolete.size() == names.size()) disk_.rmdir(folder);
}

bool ObjectStore::has_room(int fd, std::uint64_t size) const {
  if (settings_.reserve_bytes == 0 && settings_.reserve_percent <= 0) return true;
  std::uint64_t free = 0;
  std::uint64_t total = 0;
  if (disk_.space(fd, free, total) != 0) return true;
  const double left = static_cast<double>(free) - static_cast<double>(size);
  if (settings_.reserve_bytes > 0) return left > static_cast<double>(settings_.reserve_bytes);
  return left > static_cast<double>(total) * settings_.reserve_percent / 100;
}

int ObjectStore::queue_update(const std::string& device, const std::string& directory,
                              const std::string& hash, const Timestamp& timestamp,
                              const std::string& pickle) const {
  const std::string suffix_of_policy = directory.substr(std::string_view("objects").size());
  const std::string folder = device + "/async_pending" + suffix_of_policy + "/" + hash.substr(29);
  const std::string tmp = device + "/tmp" + suffix_of_policy;
  int error = make_folders(disk_, folder, true);
  if (error == 0) error = make_folders(disk_, tmp, true);
  if (error != 0) return error;
  const std::string fresh = tmp + "/tmp" + entropy_.hex(8) + ".tmp";
  {
    const Fd fd(disk_, disk_.open(fresh, O_WRONLY | O_CREAT | O_EXCL, 0600));
    if (!fd) return errno;
    if (disk_.write(fd.get(), pickle) != static_cast<ssize_t>(pickle.size()) ||
        disk_.fsync(fd.get()) != 0) {
      error = errno != 0 ? errno : EIO;
      disk_.unlink(fresh);
      return error;
    }
  }
  if (disk_.rename(fresh, folder + "/" + hash + "-" + timestamp.internal()) != 0) return errno;
  return sync_folder(disk_, folder);
}

ObjectWriter::ObjectWriter(const ObjectStore& store, ObjectPlace place)
    : store_(store), place_(std::move(place)) {}

int ObjectWriter::open(std::optional<std::uint64_t> size) {
  Disk& disk = store_.disk_;
  const std::string folder = place_.folder();
  fresh_folder_ = disk.mkdir(folder, 0755) == 0;
  if (!fresh_folder_ && errno != EEXIST) {
    if (errno != ENOENT) return errno;
    // The parents of the hash folder are synced as they are made; the folder itself is at commit.
    const int error = make_folders(disk, folder.substr(0, folder.rfind('/')), true);
    if (error != 0) return error;
    fresh_folder_ = disk.mkdir(folder, 0755) == 0;
    if (!fresh_folder_ && errno != EEXIST) return errno;
  }
  fd_ = Fd(disk, disk.open(folder, O_TMPFILE | O_WRONLY, 0644));
  if (!fd_) return errno;
  if (size && !store_.has_room(fd_.get(), *size)) return ENOSPC;
  if (size && *size > 0 && store_.settings_.fallocate && disk.fallocate(fd_.get(), *size) != 0 &&
      errno != EOPNOTSUPP) {
    return errno;
  }
  return 0;
}

int ObjectWriter::write(std::span<const char> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = store_.disk_.write(fd_.get(), bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return errno != 0 ? errno : EIO;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    written_ += static_cast<std::uint64_t>(count);
    unsynced_ += static_cast<std::uint64_t>(count);
  }
  if (unsynced_ >= store_.settings_.bytes_per_sync) {
    store_.disk_.fdatasync(fd_.get());
    unsynced_ = 0;
  }
  return 0;
}

int ObjectWriter::commit(const ObjectMetadata& metadata, const std::string& file_name) {
  Disk& disk = store_.disk_;
  int error = write_metadata(disk, fd_.get(), metadata);
  if (error != 0) return error;
  if (disk.fsync(fd_.get()) != 0) return errno;
  // Before the file can be seen: a crash in between costs one needless look at the suffix.
  invalidate_suffix(disk, place_.partition_folder(), place_.suffix());
  const std::string folder = place_.folder();
  const std::string target = folder + "/" + file_name;
  for (int tries = 0; disk.link_fd(fd_.get(), target) != 0; ++tries) {
    if (tries == 2) return errno;
    if (errno == EEXIST) {
      disk.unlink(target);
    } else if (errno == ENOENT) {
      error = make_folders(disk, folder, true);
      if (error != 0) return error;
    } else {
      return errno;
    }
  }
  fd_.reset();
  error = sync_folder(disk, folder);
  if (error == 0 && fresh_folder_) error = sync_folder(disk, folder.substr(0, folder.rfind('/')));
  if (error != 0) return error;
  if (!fresh_folder_) store_.clean_up(place_);
  return 0;
}

}  // namespace apus
