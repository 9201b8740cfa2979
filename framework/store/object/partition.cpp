#include "framework/store/object/partition.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <thread>

namespace apus {

Fd lock_folder(Disk& disk, const std::string& folder, std::chrono::milliseconds patience,
               std::string_view name) {
  std::string path = folder + "/.lock";
  if (!name.empty()) path.append("-").append(name);
  Fd lock(disk, disk.open(path, O_WRONLY | O_CREAT, 0644));
  if (!lock) return lock;
  const auto end = std::chrono::steady_clock::now() + patience;
  while (disk.flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK || std::chrono::steady_clock::now() >= end) {
      if (errno == EWOULDBLOCK) errno = ETIMEDOUT;
      const int error = errno;
      lock.reset();
      errno = error;
      return lock;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return lock;
}

int sync_folder(Disk& disk, const std::string& folder) {
  const Fd fd(disk, disk.open(folder, O_RDONLY | O_DIRECTORY));
  if (!fd || disk.fsync(fd.get()) != 0) return errno;
  return 0;
}

bool is_folder(Disk& disk, const std::string& path) {
  struct stat info {};
  if (disk.stat(path, info) != 0) return false;
  if (!S_ISDIR(info.st_mode)) errno = ENOTDIR;
  return S_ISDIR(info.st_mode);
}

int make_folders(Disk& disk, const std::string& folder, bool durable) {
  if (disk.mkdir(folder, 0755) != 0) {
    if (errno == EEXIST) return 0;
    const std::size_t slash = folder.rfind('/');
    if (errno != ENOENT || slash == std::string::npos || slash == 0) return errno;
    const int error = make_folders(disk, folder.substr(0, slash), durable);
    if (error != 0) return error;
    if (disk.mkdir(folder, 0755) != 0 && errno != EEXIST) return errno;
  }
  return durable ? sync_folder(disk, folder.substr(0, folder.rfind('/'))) : 0;
}

int invalidate_suffix(Disk& disk, const std::string& partition, std::string_view suffix) {
  Fd lock = lock_folder(disk, partition, std::chrono::seconds(10));
  if (!lock && errno == ENOENT && make_folders(disk, partition, false) == 0)
    lock = lock_folder(disk, partition, std::chrono::seconds(10));
  if (!lock) return errno;
  const Fd journal(disk,
                   disk.open(partition + "/hashes.invalid", O_WRONLY | O_CREAT | O_APPEND, 0644));
  if (!journal) return errno;
  const std::string line = std::string(suffix) + "\n";
  return disk.write(journal.get(), line) == static_cast<ssize_t>(line.size()) ? 0 : errno;
}

}  // namespace apus
