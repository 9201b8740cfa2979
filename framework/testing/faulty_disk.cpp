#include <apus/testing/faulty_disk.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "framework/testing/synced_tree.h"

namespace apus::testing {
namespace {

bool changes_something(FaultyDisk::Call call) {
  using enum FaultyDisk::Call;
  switch (call) {
    case kMkdir:
    case kRmdir:
    case kUnlink:
    case kRename:
    case kLink:
    case kWrite:
    case kSync:
    case kAllocate:
    case kTruncate:
    case kSetXattr:
      return true;
    default:
      return false;
  }
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace

FaultyDisk::FaultyDisk(std::filesystem::path root)
    : real_(real_disk()), tree_(std::make_unique<Tree>(std::move(root))) {}
FaultyDisk::~FaultyDisk() = default;

void FaultyDisk::fail(Fault fault) {
  const std::lock_guard lock(mutex_);
  faults_.push_back(std::move(fault));
}
void FaultyDisk::clear_faults() {
  const std::lock_guard lock(mutex_);
  faults_.clear();
}
void FaultyDisk::short_writes(std::size_t most) {
  const std::lock_guard lock(mutex_);
  most_written_ = most;
}
void FaultyDisk::limit_space(std::optional<std::uint64_t> bytes) {
  const std::lock_guard lock(mutex_);
  space_left_ = bytes;
}
void FaultyDisk::power_off_after(std::uint64_t changes) {
  const std::lock_guard lock(mutex_);
  changes_left_ = changes;
}
std::uint64_t FaultyDisk::changes() const {
  const std::lock_guard lock(mutex_);
  return changes_;
}
bool FaultyDisk::is_off() const {
  const std::lock_guard lock(mutex_);
  return off_;
}

void FaultyDisk::crash(Entropy* chance) {
  const std::lock_guard lock(mutex_);
  if (chance != nullptr) tree_->keep_some(*chance);
  tree_->restore();
  for (const auto& [fd, path] : open_) dead_.insert(fd);
  off_ = false;
  changes_left_.reset();
}

// True, with errno set, when the call must not be made. Called with the lock held.
bool FaultyDisk::refuses(Call call, const std::string& path) {
  const bool change = changes_something(call);
  if (change && !off_ && changes_left_ == 0) off_ = true;
  if (off_) {
    errno = EIO;
    return true;
  }
  for (Fault& fault : faults_) {
    if (fault.call != call || path.find(fault.path) == std::string::npos) continue;
    if (fault.skip > 0) {
      --fault.skip;
    } else if (fault.times > 0) {
      --fault.times;
      errno = fault.error;
      return true;
    }
  }
  if (change) {
    ++changes_;
    if (changes_left_) --*changes_left_;
  }
  return false;
}

bool FaultyDisk::refuses(Call call, int fd) {
  if (dead_.contains(fd)) {
    errno = EIO;
    return true;
  }
  const auto at = open_.find(fd);
  return refuses(call, at == open_.end() ? std::string() : at->second);
}

int FaultyDisk::open(const std::string& path, int flags, mode_t mode) {
  const std::lock_guard lock(mutex_);
  if (refuses(Call::kOpen, path)) return -1;
  const bool temporary = (flags & O_TMPFILE) == O_TMPFILE;
  const bool makes = temporary || ((flags & O_CREAT) != 0 && !exists(path));
  const int fd = real_.open(path, flags, mode);
  if (fd < 0) return fd;
  open_[fd] = path;
  struct stat info {};
  if (makes && real_.fstat(fd, info) == 0) tree_->made(info);
  return fd;
}

int FaultyDisk::close(int fd) {
  const std::lock_guard lock(mutex_);
  open_.erase(fd);
  dead_.erase(fd);
  return real_.close(fd);
}

int FaultyDisk::mkdir(const std::string& path, mode_t mode) {
  const std::lock_guard lock(mutex_);
  if (refuses(Call::kMkdir, path)) return -1;
  const int result = real_.mkdir(path, mode);
  struct stat info {};
  if (result == 0 && ::lstat(path.c_str(), &info) == 0) tree_->made(info);
  return result;
}

int FaultyDisk::rmdir(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return refuses(Call::kRmdir, path) ? -1 : real_.rmdir(path);
}

int FaultyDisk::unlink(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return refuses(Call::kUnlink, path) ? -1 : real_.unlink(path);
}

int FaultyDisk::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  if (refuses(Call::kRename, to)) return -1;
  const int result = real_.rename(from, to);
  if (result == 0) tree_->moved(from, to);
  return result;
}

int FaultyDisk::link_fd(int fd, const std::string& to) {
  const std::lock_guard lock(mutex_);
  return refuses(Call::kLink, fd) ? -1 : real_.link_fd(fd, to);
}

ssize_t FaultyDisk::write(int fd, std::span<const char> bytes) {
  const std::lock_guard lock(mutex_);
  if (refuses(Call::kWrite, fd)) return -1;
  std::size_t count = bytes.size();
  if (most_written_ > 0) count = std::min(count, most_written_);
  if (space_left_ && count > 0) {
    count = static_cast<std::size_t>(std::min<std::uint64_t>(count, *space_left_));
    if (count == 0) {
      errno = ENOSPC;
      return -1;
    }
  }
  const ssize_t written = real_.write(fd, bytes.first(count));
  if (space_left_ && written > 0) *space_left_ -= static_cast<std::uint64_t>(written);
  return written;
}

ssize_t FaultyDisk::pread(int fd, std::span<char> out, std::uint64_t offset) {
  {
    const std::lock_guard lock(mutex_);
    if (refuses(Call::kRead, fd)) return -1;
  }
  return real_.pread(fd, out, offset);
}

int FaultyDisk::sync(int fd) {
  const std::lock_guard lock(mutex_);
  if (refuses(Call::kSync, fd)) return -1;
  tree_->sync(fd);
  return 0;
}
int FaultyDisk::fsync(int fd) { return sync(fd); }
int FaultyDisk::fdatasync(int fd) { return sync(fd); }

int FaultyDisk::fallocate(int fd, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  if (refuses(Call::kAllocate, fd)) return -1;
  if (space_left_ && size > *space_left_) {
    errno = ENOSPC;
    return -1;
  }
  return real_.fallocate(fd, size);
}

int FaultyDisk::truncate(int fd, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  return refuses(Call::kTruncate, fd) ? -1 : real_.truncate(fd, size);
}

int FaultyDisk::fsetxattr(int fd, const char* name, std::string_view value) {
  const std::lock_guard lock(mutex_);
  return refuses(Call::kSetXattr, fd) ? -1 : real_.fsetxattr(fd, name, value);
}

ssize_t FaultyDisk::fgetxattr(int fd, const char* name, std::span<char> out) {
  const std::lock_guard lock(mutex_);
  return refuses(Call::kGetXattr, fd) ? -1 : real_.fgetxattr(fd, name, out);
}

int FaultyDisk::fstat(int fd, struct stat& out) {
  const std::lock_guard lock(mutex_);
  return refuses(Call::kStat, fd) ? -1 : real_.fstat(fd, out);
}

int FaultyDisk::stat(const std::string& path, struct stat& out) {
  const std::lock_guard lock(mutex_);
  return refuses(Call::kStat, path) ? -1 : real_.stat(path, out);
}

void FaultyDisk::let_pass(std::chrono::milliseconds time) {
  const std::lock_guard lock(mutex_);
  passed_ += time;
}

timespec FaultyDisk::change_time() {
  const std::lock_guard lock(mutex_);
  timespec now = real_.change_time();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(passed_);
  now.tv_sec += seconds.count();
  now.tv_nsec += std::chrono::nanoseconds(passed_ - seconds).count();
  now.tv_sec += now.tv_nsec / 1'000'000'000;
  now.tv_nsec %= 1'000'000'000;
  return now;
}

int FaultyDisk::flock(int fd, int operation) {
  {
    const std::lock_guard lock(mutex_);
    if (refuses(Call::kLock, fd)) return -1;
  }
  // May wait for another thread that needs this object to let go.
  return real_.flock(fd, operation);
}

bool FaultyDisk::list(const std::string& folder, std::vector<std::string>& names) {
  const std::lock_guard lock(mutex_);
  return !refuses(Call::kList, folder) && real_.list(folder, names);
}

int FaultyDisk::space(int fd, std::uint64_t& free, std::uint64_t& total) {
  const std::lock_guard lock(mutex_);
  if (refuses(Call::kSpace, fd)) return -1;
  const int result = real_.space(fd, free, total);
  if (result == 0 && space_left_) free = std::min(free, *space_left_);
  return result;
}

}  // namespace apus::testing
