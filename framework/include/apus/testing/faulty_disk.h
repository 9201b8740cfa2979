// A disk that fails when told and, when the power goes, has what was synced and nothing else.
#pragma once

#include <apus/disk.h>
#include <apus/host.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace apus::testing {

/// Real files below a folder, with a memory of what a power cut would leave of them: a file's bytes
/// and xattrs as of its last fsync (or fdatasync), a folder's names as of the folder's last fsync;
/// a rename is on the disk as a whole or not at all. What was never synced is lost: stricter than
/// most file systems, as strict as POSIX. Everything below the folder is changed through this
/// object alone. Thread-safe.
class FaultyDisk final : public Disk {
 public:
  /// What lies below `root` now is on the disk.
  explicit FaultyDisk(std::filesystem::path root);
  ~FaultyDisk() override;

  enum class Call : std::uint8_t {
    kOpen,
    kMkdir,
    kRmdir,
    kUnlink,
    kRename,
    kLink,
    kWrite,
    kRead,
    kSync,
    kAllocate,
    kTruncate,
    kSetXattr,
    kGetXattr,
    kStat,
    kLock,
    kList,
    kSpace,
  };
  /// Such calls on paths that hold `path` (all, when empty) fail with `error`, `times` times after
  /// the first `skip` of them.
  struct Fault {
    Call call = Call::kWrite;
    int error = 0;
    std::uint64_t skip = 0;
    std::uint64_t times = UINT64_MAX;
    std::string path = {};
  };
  void fail(Fault fault);
  void clear_faults();
  /// No write takes more than `most` bytes; 0 = all of them.
  void short_writes(std::size_t most);
  /// Writes and reservations beyond so many bytes end in ENOSPC; nothing = no limit.
  void limit_space(std::optional<std::uint64_t> bytes);

  /// `change_time` is so much later: what is on the disk now has not been changed for as long.
  void let_pass(std::chrono::milliseconds time);

  /// After so many further changes (calls that alter or sync something) every call fails with EIO,
  /// until `crash`. With 0, 1, 2, ... a test walks through every moment a machine can die at.
  void power_off_after(std::uint64_t changes);
  /// Changes so far.
  [[nodiscard]] std::uint64_t changes() const;
  /// True from the power cut until `crash`.
  [[nodiscard]] bool is_off() const;
  /// The power went and came back: below `root` is what was synced. With `chance`, of what was not
  /// synced some is there too, as disks do. Descriptors of before are dead (EIO); faults stay.
  void crash(Entropy* chance = nullptr);

  int open(const std::string& path, int flags, mode_t mode = 0) override;
  int close(int fd) override;
  int mkdir(const std::string& path, mode_t mode) override;
  int rmdir(const std::string& path) override;
  int unlink(const std::string& path) override;
  int rename(const std::string& from, const std::string& to) override;
  int link_fd(int fd, const std::string& to) override;
  ssize_t write(int fd, std::span<const char> bytes) override;
  ssize_t pread(int fd, std::span<char> out, std::uint64_t offset) override;
  int fsync(int fd) override;
  int fdatasync(int fd) override;
  int fallocate(int fd, std::uint64_t size) override;
  int truncate(int fd, std::uint64_t size) override;
  int fsetxattr(int fd, const char* name, std::string_view value) override;
  ssize_t fgetxattr(int fd, const char* name, std::span<char> out) override;
  int fstat(int fd, struct stat& out) override;
  int stat(const std::string& path, struct stat& out) override;
  timespec change_time() override;
  int flock(int fd, int operation) override;
  bool list(const std::string& folder, std::vector<std::string>& names) override;
  int space(int fd, std::uint64_t& free, std::uint64_t& total) override;

 private:
  class Tree;

  bool refuses(Call call, const std::string& path);
  bool refuses(Call call, int fd);
  int sync(int fd);

  Disk& real_;
  mutable std::mutex mutex_;
  std::unique_ptr<Tree> tree_;
  std::map<int, std::string> open_;
  std::set<int> dead_;
  std::vector<Fault> faults_;
  std::size_t most_written_ = 0;
  std::optional<std::uint64_t> space_left_;
  std::optional<std::uint64_t> changes_left_;
  std::uint64_t changes_ = 0;
  std::chrono::milliseconds passed_{0};
  bool off_ = false;
};

}  // namespace apus::testing
