// The system calls by which stores touch a disk: replaced in tests by one that fails and forgets.
#pragma once

#include <apus/abi.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace apus {

/// Thin and stateless: every call returns what the system call returns (-1 with errno set).
/// Thread-safe.
class APUS_API Disk {
 public:
  Disk() = default;
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  virtual ~Disk();

  virtual int open(const std::string& path, int flags,
                   mode_t mode = 0) = 0;  ///< O_CLOEXEC is added
  virtual int close(int fd) = 0;
  virtual int mkdir(const std::string& path, mode_t mode) = 0;
  virtual int rmdir(const std::string& path) = 0;
  virtual int unlink(const std::string& path) = 0;
  virtual int rename(const std::string& from, const std::string& to) = 0;
  virtual int link_fd(int fd, const std::string& to) = 0;  ///< gives an O_TMPFILE file its name
  virtual ssize_t write(int fd, std::span<const char> bytes) = 0;
  virtual ssize_t pread(int fd, std::span<char> out, std::uint64_t offset) = 0;
  virtual int fsync(int fd) = 0;
  virtual int fdatasync(int fd) = 0;
  virtual int fallocate(int fd, std::uint64_t size) = 0;  ///< keeps the visible size
  virtual int truncate(int fd, std::uint64_t size) = 0;
  virtual int fsetxattr(int fd, const char* name, std::string_view value) = 0;
  /// Size of the value, or -1; `out` empty asks for the size alone.
  virtual ssize_t fgetxattr(int fd, const char* name, std::span<char> out) = 0;
  virtual int fstat(int fd, struct stat& out) = 0;
  virtual int stat(const std::string& path, struct stat& out) = 0;
  /// The time that the file system would give a change made now: never behind an st_ctim seen
  /// before, and no finer.
  virtual timespec change_time() = 0;
  virtual int flock(int fd, int operation) = 0;
  /// Names without "." and ".."; false with errno set when the folder cannot be read.
  virtual bool list(const std::string& folder, std::vector<std::string>& names) = 0;
  /// Bytes free for users and bytes in all of the file system that holds `fd`.
  virtual int space(int fd, std::uint64_t& free, std::uint64_t& total) = 0;
};

/// The machine's own.
APUS_API Disk& real_disk();

/// An open descriptor, closed with its owner.
class APUS_API Fd {
 public:
  Fd() = default;
  Fd(Disk& disk, int fd) : disk_(&disk), fd_(fd) {}
  Fd(Fd&& other) noexcept : disk_(other.disk_), fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      disk_ = other.disk_;
      fd_ = other.release();
    }
    return *this;
  }
  ~Fd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset() {
    if (fd_ >= 0) disk_->close(release());
  }

 private:
  Disk* disk_ = nullptr;
  int fd_ = -1;
};

}  // namespace apus
