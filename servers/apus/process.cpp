#include "servers/apus/process.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace apus {

void become_user(const std::string& user) {
  errno = 0;
  const passwd* entry = ::getpwnam(user.c_str());
  if (entry == nullptr)
    throw std::runtime_error("user: '" + user + "' is not a user of this machine");
  if (::geteuid() == entry->pw_uid && ::getegid() == entry->pw_gid) return;
  const bool groups = ::geteuid() != 0 || ::initgroups(user.c_str(), entry->pw_gid) == 0;
  if (!groups || ::setgid(entry->pw_gid) != 0 || ::setuid(entry->pw_uid) != 0) {
    throw std::runtime_error("user: cannot become '" + user +
                             "': " + std::generic_category().message(errno) +
                             "; start as root or as that user");
  }
  ::setenv("HOME", entry->pw_dir, 1);
}

void release_stdio() {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return;
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, fd);
  ::close(null);
}

void notify_systemd(const std::string& state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (*path != '/' && *path != '@')) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t size = std::strlen(path);
  if (size >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, size);
  if (*path == '@') address.sun_path[0] = '\0';
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
  // A manager that is gone is not worth failing for.
  [[maybe_unused]] const ssize_t sent =
      ::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address), length);
  ::close(fd);
}

void leave_terminal() {
  ::setsid();  // fails for who leads one already
  [[maybe_unused]] const int moved = ::chdir("/");
  ::umask(022);
}

}  // namespace apus
