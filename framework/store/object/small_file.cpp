#include "framework/store/object/small_file.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "framework/store/object/partition.h"

namespace apus {
namespace {

int write_all(Disk& disk, int fd, std::string_view bytes, bool durable) {
  while (!bytes.empty()) {
    const ssize_t count = disk.write(fd, {bytes.data(), bytes.size()});
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count < 0 ? errno : EIO;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return !durable || disk.fsync(fd) == 0 ? 0 : errno;
}

}  // namespace

std::optional<std::string> read_small_file(Disk& disk, const std::string& path, std::size_t limit) {
  const Fd fd(disk, disk.open(path, O_RDONLY));
  if (!fd) return std::nullopt;
  std::string out;
  constexpr std::size_t kPiece = 65536;
  while (true) {
    const std::size_t have = out.size();
    out.resize(have + kPiece);
    const ssize_t count = disk.pread(fd.get(), std::span(out).subspan(have), have);
    const int error = errno;
    out.resize(have + (count > 0 ? static_cast<std::size_t>(count) : 0));
    if (count < 0 && error == EINTR) continue;
    if (count == 0) return out;
    if (count < 0 || out.size() > limit) {
      errno = count < 0 ? error : EFBIG;
      return std::nullopt;
    }
  }
}

int write_small_file(Disk& disk, const std::string& folder, const std::string& temporary,
                     const std::string& path, std::string_view bytes, bool durable) {
  const std::string fresh = folder + "/" + temporary;
  int error = 0;
  {
    const Fd fd(disk, disk.open(fresh, O_WRONLY | O_CREAT | O_EXCL, 0600));
    if (!fd) return errno;
    error = write_all(disk, fd.get(), bytes, durable);
  }
  if (error == 0 && disk.rename(fresh, path) != 0) error = errno;
  if (error != 0) {
    disk.unlink(fresh);
    return error;
  }
  if (!durable) return 0;
  return sync_folder(disk, path.substr(0, path.rfind('/')));
}

}  // namespace apus
