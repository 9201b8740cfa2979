// One file's way onto the disk: no name, bytes, metadata, sync, name, sync.
#include <fcntl.h>

#include <cerrno>

#include "framework/store/object/object_store.h"
#include "framework/store/object/partition.h"

namespace apus {
namespace {

// So many bytes get their space by being written: asked for before, it would be marked as unwritten
// and then as written again, which small objects pay for with every sync.
constexpr std::uint64_t kWrittenAtOnce = 65536;

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

ObjectWriter::ObjectWriter(const ObjectStore& store, ObjectPlace place)
    : store_(store), place_(std::move(place)) {}

ObjectWriter::~ObjectWriter() {
  if (visible_) return;
  fd_.reset();
  if (!temporary_.empty()) store_.disk_.unlink(temporary_);
  // Fails, and shall, when another writer was faster.
  if (fresh_folder_) store_.disk_.rmdir(place_.folder());
}

int ObjectWriter::open(std::optional<std::uint64_t> size) {
  Disk& disk = store_.disk_;
  const std::string folder = place_.folder();
  fresh_folder_ = disk.mkdir(folder, 0755) == 0;
  if (!fresh_folder_ && errno != EEXIST) {
    if (errno != ENOENT) return errno;
    // The parents of the hash folder are synced as they are made; the folder itself is at commit.
    const int error = make_folders(disk, parent_of(folder), true);
    if (error != 0) return error;
    fresh_folder_ = disk.mkdir(folder, 0755) == 0;
    if (!fresh_folder_ && errno != EEXIST) return errno;
  }
  if (const int error = open_file()) return error;
  if (size && !store_.has_room(fd_.get(), *size)) return ENOSPC;
  if (size && *size > kWrittenAtOnce && store_.settings_.fallocate &&
      disk.fallocate(fd_.get(), *size) != 0 && errno != EOPNOTSUPP && errno != ENOSYS) {
    return errno;
  }
  return 0;
}

int ObjectWriter::open_file() {
  Disk& disk = store_.disk_;
  fd_ = Fd(disk, disk.open(place_.folder(), O_TMPFILE | O_WRONLY, 0644));
  if (fd_) return 0;
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) return errno;
  // A file system without nameless files: one in tmp, renamed at the end.
  const std::string tmp = place_.beside("tmp");
  if (const int error = make_folders(disk, tmp, false)) return error;
  temporary_ = tmp + "/tmp" + store_.entropy_.hex(8) + ".tmp";
  fd_ = Fd(disk, disk.open(temporary_, O_WRONLY | O_CREAT | O_EXCL, 0600));
  if (fd_) return 0;
  const int error = errno;
  temporary_.clear();
  return error;
}

int ObjectWriter::write(std::span<const char> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = store_.disk_.write(fd_.get(), bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count < 0 ? errno : EIO;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    written_ += static_cast<std::uint64_t>(count);
    unsynced_ += static_cast<std::uint64_t>(count);
  }
  if (unsynced_ >= store_.settings_.bytes_per_sync) {
    if (store_.disk_.fdatasync(fd_.get()) != 0) return errno;
    unsynced_ = 0;
  }
  return 0;
}

int ObjectWriter::commit(const ObjectMetadata& metadata, const std::string& file_name,
                         std::optional<int> next_part_power) {
  Disk& disk = store_.disk_;
  if (const int error = write_metadata(disk, fd_.get(), metadata)) return error;
  if (disk.fsync(fd_.get()) != 0) return errno;
  // Before the file can be seen: a crash in between costs one needless look at the suffix.
  invalidate_suffix(disk, place_.partition_folder(), place_.suffix());
  if (const int error = give_name(place_.folder() + "/" + file_name)) return error;
  visible_ = true;
  if (const int error = sync_name()) return error;
  if (next_part_power) follow_part_power(file_name, *next_part_power);
  fd_.reset();
  // A folder of its own has nothing else in it, but for a tombstone that is too old to be kept.
  if (!fresh_folder_ || file_name.ends_with(".ts")) store_.clean_up(place_);
  return 0;
}

int ObjectWriter::give_name(const std::string& target) {
  Disk& disk = store_.disk_;
  const auto once = [&] {
    return temporary_.empty() ? disk.link_fd(fd_.get(), target) : disk.rename(temporary_, target);
  };
  for (int tries = 0; once() != 0; ++tries) {
    if (tries == 2) return errno;
    if (errno == EEXIST) {
      disk.unlink(target);
    } else if (errno == ENOENT) {
      // A clean-up took the empty folder away.
      if (const int error = make_folders(disk, parent_of(target), true)) return error;
    } else {
      return errno;
    }
  }
  return 0;
}

int ObjectWriter::sync_name() {
  const std::string folder = place_.folder();
  if (const int error = sync_folder(store_.disk_, folder)) return error;
  return fresh_folder_ ? sync_folder(store_.disk_, parent_of(folder)) : 0;
}

// The object is stored already: what fails here is the relinker's to repair.
void ObjectWriter::follow_part_power(const std::string& file_name, int next_part_power) {
  Disk& disk = store_.disk_;
  ObjectPlace other = place_;
  other.partition = std::to_string(partition_of_hash(place_.hash, next_part_power));
  if (other.partition == place_.partition) {
    other.partition = std::to_string(partition_of_hash(place_.hash, next_part_power - 1));
    store_.clean_up(other);
    return;
  }
  int error = make_folders(disk, other.folder(), true);
  invalidate_suffix(disk, other.partition_folder(), other.suffix());
  if (error == 0 && disk.link_fd(fd_.get(), other.folder() + "/" + file_name) != 0)
    error = errno == EEXIST ? 0 : errno;
  if (error == 0) error = sync_folder(disk, other.folder());
  if (error != 0) {
    store_.logger_.error("cannot link " + file_name + " into " + other.folder() + ": errno " +
                         std::to_string(error));
  }
  store_.clean_up(other);
}

}  // namespace apus
