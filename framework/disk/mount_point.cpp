#include <apus/mount_point.h>
#include <sys/stat.h>

namespace apus {

bool is_mount_point(const std::string& path) {
  struct stat own {};
  if (::lstat(path.c_str(), &own) != 0) return false;
  struct stat marker {};
  const auto marked = [&] {
    return ::stat((path + "/.ismount").c_str(), &marker) == 0 && S_ISREG(marker.st_mode);
  };
  if (S_ISLNK(own.st_mode)) return marked();
  struct stat parent {};
  if (::lstat((path + "/..").c_str(), &parent) != 0) return false;
  return own.st_dev != parent.st_dev || own.st_ino == parent.st_ino || marked();
}

}  // namespace apus
