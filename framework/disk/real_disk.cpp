#include <apus/disk.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>

namespace apus {
namespace {

void add_names(std::span<const char> entries, std::vector<std::string>& names) {
  while (!entries.empty()) {
    const auto* entry = reinterpret_cast<const dirent64*>(entries.data());
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..") names.emplace_back(name);
    entries = entries.subspan(entry->d_reclen);
  }
}

class RealDisk final : public Disk {
 public:
  int open(const std::string& path, int flags, mode_t mode) override {
    return ::open(path.c_str(), flags | O_CLOEXEC, mode);
  }
  int close(int fd) override { return ::close(fd); }
  int mkdir(const std::string& path, mode_t mode) override { return ::mkdir(path.c_str(), mode); }
  int rmdir(const std::string& path) override { return ::rmdir(path.c_str()); }
  int unlink(const std::string& path) override { return ::unlink(path.c_str()); }
  int rename(const std::string& from, const std::string& to) override {
    return ::rename(from.c_str(), to.c_str());
  }
  int link_fd(int fd, const std::string& to) override {
    const std::string from = "/proc/self/fd/" + std::to_string(fd);
    return ::linkat(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), AT_SYMLINK_FOLLOW);
  }
  ssize_t write(int fd, std::span<const char> bytes) override {
    return ::write(fd, bytes.data(), bytes.size());
  }
  ssize_t pread(int fd, std::span<char> out, std::uint64_t offset) override {
    return ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
  }
  int fsync(int fd) override { return ::fsync(fd); }
  int fdatasync(int fd) override { return ::fdatasync(fd); }
  int fallocate(int fd, std::uint64_t size) override {
    return ::fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size));
  }
  int truncate(int fd, std::uint64_t size) override {
    return ::ftruncate(fd, static_cast<off_t>(size));
  }
  int fsetxattr(int fd, const char* name, std::string_view value) override {
    return ::fsetxattr(fd, name, value.data(), value.size(), 0);
  }
  ssize_t fgetxattr(int fd, const char* name, std::span<char> out) override {
    return ::fgetxattr(fd, name, out.data(), out.size());
  }
  int fstat(int fd, struct stat& out) override { return ::fstat(fd, &out); }
  int stat(const std::string& path, struct stat& out) override {
    return ::stat(path.c_str(), &out);
  }
  timespec change_time() override {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return now;
  }
  int flock(int fd, int operation) override { return ::flock(fd, operation); }
  bool list(const std::string& folder, std::vector<std::string>& names) override {
    // Not readdir: it asks for the folder's attributes and allocates for each folder it opens.
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return false;
    alignas(dirent64) std::array<char, 8192> buffer;
    ssize_t size = 0;
    while ((size = ::getdents64(fd, buffer.data(), buffer.size())) > 0)
      add_names({buffer.data(), static_cast<std::size_t>(size)}, names);
    const int error = errno;
    ::close(fd);
    errno = error;
    return size == 0;
  }
  int space(int fd, std::uint64_t& free, std::uint64_t& total) override {
    struct statvfs info {};
    if (::fstatvfs(fd, &info) != 0) return -1;
    free = std::uint64_t{info.f_bavail} * info.f_frsize;
    total = std::uint64_t{info.f_blocks} * info.f_frsize;
    return 0;
  }
};

}  // namespace

Disk::~Disk() = default;

Disk& real_disk() {
  static RealDisk disk;
  return disk;
}

}  // namespace apus
