#include "framework/store/object/object_store.h"

#include <apus/text.h>
#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "framework/store/object/partition.h"
#include "framework/store/object/small_file.h"

namespace apus {
namespace {

// A change that is made meanwhile replaces the files that were listed: look again, but not for
// ever.
constexpr int kMaxLooks = 5;

bool from_data_file(std::string_view name) {
  return same_name(name, "Content-Length") || same_name(name, "ETag") ||
         same_name(name, "deleted") || same_name(name, "X-Static-Large-Object") ||
         starts_with_name(name, "X-Object-Sysmeta-") || same_name(name, "name");
}

Fd open_for_reading(Disk& disk, const std::string& path) {
  Fd out(disk, disk.open(path, O_RDONLY | O_NOATIME));
  if (!out && errno == EPERM) out = Fd(disk, disk.open(path, O_RDONLY));
  return out;
}

bool stamp_of(Disk& disk, const std::string& path, FileStamp& out) {
  struct stat info {};
  if (disk.stat(path, info) != 0) return false;
  out = FileStamp(info);
  return true;
}

// Swift's rule: a .meta replaces everything but what belongs to the data itself. Gives the time of
// the content type.
Timestamp merge(ObjectFields& fields, const FileSet& files, const ObjectMetadata& type_file) {
  Timestamp type_time = files.data->timestamp;
  if (!files.meta) {
    fields.merged = std::exchange(fields.data_file, {});
    return type_time;
  }
  const ObjectMetadata& data = fields.data_file;
  ObjectMetadata& merged = fields.merged;
  merged = fields.meta_file;
  std::string type(data.get("Content-Type"));
  const auto newer_type = [&](const ObjectMetadata& from) {
    const auto when = Timestamp::parse(from.get("Content-Type-Timestamp"));
    if (!when || !from.has("Content-Type") || *when <= type_time) return;
    type_time = *when;
    type = from.get("Content-Type");
  };
  newer_type(fields.meta_file);
  newer_type(type_file);
  for (const auto& [name, value] : data) {
    if (from_data_file(name)) merged.set(name, value);
  }
  // `set` spells names in title case; these two are stored otherwise.
  merged.set("Content-Type", type);
  merged.erase("Content-Type-Timestamp");
  return type_time;
}

void expire(OpenObject& object, const Timestamp& now) {
  if (object.state != ObjectState::kFound) return;
  const std::string* at = object.metadata().find("X-Delete-At");
  const auto expiry = at == nullptr ? std::nullopt : parse_int(*at);
  if (expiry && Timestamp::from_seconds(static_cast<double>(*expiry)) <= now)
    object.state = ObjectState::kExpired;
}

}  // namespace

ObjectStore::ObjectStore(Disk& disk, Clock& clock, Logger& logger, Entropy& entropy,
                         const SwiftConf& conf, Settings settings)
    : disk_(disk),
      clock_(clock),
      logger_(logger),
      entropy_(entropy),
      conf_(conf),
      settings_(settings),
      known_(settings.known_objects) {}

OpenObject ObjectStore::open(const ObjectPlace& place, const Timestamp& now, bool open_expired,
                             Opening opening) const {
  if (auto known = open_known(place, now, open_expired, opening)) return std::move(*known);
  OpenObject out;
  for (int look = 0; look < kMaxLooks && !open_listed(place, out); ++look) out = OpenObject();
  if (!open_expired) expire(out, now);
  return out;
}

std::optional<OpenObject> ObjectStore::open_known(const ObjectPlace& place, const Timestamp& now,
                                                  bool open_expired, Opening opening) const {
  std::optional<OpenObject> out(std::in_place);
  if (!find_known(place, opening, *out)) return std::nullopt;
  if (!open_expired) expire(*out, now);
  return out;
}

// False: nothing is known, or it holds no more.
bool ObjectStore::find_known(const ObjectPlace& place, Opening opening, OpenObject& out) const {
  if (!known_.on()) return false;
  const std::string folder = place.folder();
  const auto known = known_.find(folder);
  if (known == nullptr) return false;
  FileStamp stamp;
  bool same = stamp_of(disk_, folder, stamp) && stamp == known->folder;
  if (same && opening == Opening::kBytes && known->bytes == nullptr) {
    struct stat info {};
    out.data = open_for_reading(disk_, known->data_path);
    same = out.data && disk_.fstat(out.data.get(), info) == 0 && FileStamp(info) == known->data;
  } else if (same) {
    same = stamp_of(disk_, known->data_path, stamp) && stamp == known->data;
  }
  if (!same) known_.forget(folder);
  if (!same || (!place.name.empty() && known->fields->merged.get("name") != place.name))
    return false;
  out.state = ObjectState::kFound;
  out.fields = known->fields;
  out.bytes = known->bytes;
  out.size = known->data.size;
  out.data_timestamp = out.timestamp = out.content_type_timestamp = known->timestamp;
  return true;
}

// False: a listed file was gone before it could be opened.
bool ObjectStore::open_listed(const ObjectPlace& place, OpenObject& out) const {
  const std::string folder = place.folder();
  KnownObject seen;
  const timespec now = disk_.change_time();
  const bool settled = known_.on() && stamp_of(disk_, folder, seen.folder) &&
                       KnownObjects::is_settled(seen.folder, now);
  std::vector<std::string> names;
  if (!disk_.list(folder, names)) {
    out.error = errno;
    if (errno == ENOENT) return true;
    if (errno == ENOTDIR || errno == ENODATA || errno == EUCLEAN) {
      set_aside(place, std::string("its folder cannot be listed: ") + std::strerror(errno), out);
    } else {
      out.state = ObjectState::kFailed;
    }
    return true;
  }
  const FileSet files = choose_files(names);
  if (!files.data) {
    if (files.tombstone) open_tombstone(place, *files.tombstone, out);
    return true;
  }
  if (!open_files(place, files, out, seen.data)) return false;
  if (settled && names.size() == 1 && out.state == ObjectState::kFound &&
      KnownObjects::is_settled(seen.data, now)) {
    seen.data_path = folder + "/" + files.data->name;
    seen.timestamp = files.data->timestamp;
    seen.fields = out.fields;
    known_.keep(folder, std::move(seen));
  }
  return true;
}

void ObjectStore::open_tombstone(const ObjectPlace& place, const ObjectFile& file,
                                 OpenObject& out) const {
  auto fields = std::make_shared<ObjectFields>();
  const Fd tombstone = open_for_reading(disk_, place.folder() + "/" + file.name);
  if (tombstone && read_metadata(disk_, tombstone.get(), fields->merged) == XattrResult::kDamaged) {
    set_aside(place, "its tombstone's metadata cannot be read", out);
    return;
  }
  out.fields = std::move(fields);
  out.state = ObjectState::kDeleted;
  out.timestamp = file.timestamp;
}

void ObjectStore::set_aside(const ObjectPlace& place, const std::string& why,
                            OpenObject& out) const {
  quarantine(place, why);
  out = OpenObject();
  out.quarantined = true;
  out.why = why;
}

bool ObjectStore::open_files(const ObjectPlace& place, const FileSet& files, OpenObject& out,
                             FileStamp& data_stamp) const {
  const std::string folder = place.folder() + "/";
  const auto failed = [&out](int error) {
    out.error = error;
    out.state = error == ENOENT ? ObjectState::kMissing : ObjectState::kFailed;
    return error != ENOENT;
  };
  out.data = open_for_reading(disk_, folder + files.data->name);
  if (!out.data) return failed(errno);
  // Before anything is read of it: what changes then is not what this stamp vouches for.
  struct stat info {};
  if (disk_.fstat(out.data.get(), info) != 0) return failed(errno);
  data_stamp = FileStamp(info);
  out.size = data_stamp.size;
  auto fields = std::make_shared<ObjectFields>();
  ObjectMetadata type_file;
  struct Part {
    const std::optional<ObjectFile>& file;
    ObjectMetadata& to;
  };
  XattrResult result = read_metadata(disk_, out.data.get(), fields->data_file);
  for (const Part part :
       {Part{files.meta, fields->meta_file}, Part{files.content_type_meta, type_file}}) {
    if (!part.file || result != XattrResult::kGood) continue;
    const Fd meta = open_for_reading(disk_, folder + part.file->name);
    if (!meta) return failed(errno);
    result = read_metadata(disk_, meta.get(), part.to);
  }
  if (result == XattrResult::kNotSupported) {
    out.state = ObjectState::kNotSupported;
    return true;
  }
  if (result == XattrResult::kDamaged) {
    set_aside(place, "its metadata cannot be read", out);
    return true;
  }
  out.data_timestamp = files.data->timestamp;
  out.timestamp = files.meta ? files.meta->timestamp : files.data->timestamp;
  out.content_type_timestamp = merge(*fields, files, type_file);
  out.fields = std::move(fields);
  out.state = ObjectState::kFound;
  if (!place.name.empty() && out.metadata().has("name") &&
      out.metadata().get("name") != place.name) {
    out.state = ObjectState::kCollision;
    return true;
  }
  if (const std::string wrong = fault(place, out); !wrong.empty()) set_aside(place, wrong, out);
  return true;
}

std::string ObjectStore::fault(const ObjectPlace& place, const OpenObject& object) const {
  const std::string* name = object.metadata().find("name");
  if (name == nullptr) return "its metadata has no name";
  if (place.name.empty() && hash_of_name(conf_, *name) != place.hash)
    return "the hash of its name is not its folder's";
  if (const std::string* expiry = object.metadata().find("X-Delete-At");
      expiry != nullptr && !parse_int(*expiry)) {
    return "its X-Delete-At is no number";
  }
  const auto length = parse_int(object.metadata().get("Content-Length"));
  if (!length) return "its metadata has no Content-Length";
  if (*length < 0 || static_cast<std::uint64_t>(*length) != object.size) {
    return "its Content-Length is " + std::to_string(*length) + ", its file has " +
           std::to_string(object.size);
  }
  return "";
}

void ObjectStore::quarantine(const ObjectPlace& place, const std::string& why) const {
  quarantine_entry(place, place.suffix(), place.hash, why);
}

void ObjectStore::quarantine_entry(const PartitionPlace& place, const std::string& suffix,
                                   const std::string& entry, const std::string& why) const {
  const std::string folder = place.partition_folder() + "/" + suffix + "/" + entry;
  const std::string target_folder = place.device + "/quarantined/" + place.directory;
  make_folders(disk_, target_folder, false);
  invalidate_suffix(disk_, place.partition_folder(), suffix);
  std::string target = target_folder + "/" + entry;
  int error = disk_.rename(folder, target) == 0 ? 0 : errno;
  if (error == EEXIST || error == ENOTEMPTY || error == ENOTDIR || error == EISDIR) {
    target += "-" + entropy_.hex(16);
    error = disk_.rename(folder, target) == 0 ? 0 : errno;
  }
  if (error != 0) target = std::string("nowhere: ") + std::strerror(error);
  logger_.error("Quarantined object " + folder + ": " + why + "; moved to " + target);
}

std::optional<FileSet> ObjectStore::clean_up_folder(const std::string& folder) const {
  std::vector<std::string> names;
  if (!disk_.list(folder, names)) return std::nullopt;
  FileSet files = choose_files(names);
  const Timestamp horizon = Timestamp::from_seconds(clock_.now() - settings_.reclaim_age);
  if (files.tombstone && files.tombstone->timestamp < horizon) {
    files.obsolete.push_back(files.tombstone->name);
    files.tombstone.reset();
  }
  for (const ObjectFile& file : files.reclaimable) {
    if (file.timestamp < horizon) files.obsolete.push_back(file.name);
  }
  for (const std::string& name : files.obsolete) disk_.unlink(folder + "/" + name);
  if (files.obsolete.size() >= names.size()) disk_.rmdir(folder);
  files.left = names.size() - std::min(names.size(), files.obsolete.size());
  return files;
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

int ObjectStore::queue_update(const PartitionPlace& place, const std::string& hash,
                              const Timestamp& timestamp, const std::string& pickle) const {
  const std::string folder = place.beside("async_pending") + "/" + hash.substr(29);
  const std::string tmp = place.beside("tmp");
  int error = make_folders(disk_, folder, true);
  if (error == 0) error = make_folders(disk_, tmp, true);
  if (error != 0) return error;
  return write_small_file(disk_, tmp, "tmp" + entropy_.hex(8) + ".tmp",
                          folder + "/" + hash + "-" + timestamp.internal(), pickle);
}

}  // namespace apus
