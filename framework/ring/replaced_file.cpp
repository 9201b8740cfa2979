#include "framework/ring/replaced_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace apus {
namespace {

// Beside `path`, under a name that is no one else's; without commit() nothing remains.
class FreshFile {
 public:
  explicit FreshFile(const std::string& path)
      : path_(path), fresh_(path + ".XXXXXX"), fd_(::mkostemp(fresh_.data(), O_CLOEXEC)) {
    if (fd_ < 0) fail();
  }
  FreshFile(const FreshFile&) = delete;
  FreshFile& operator=(const FreshFile&) = delete;
  ~FreshFile() {
    ::close(fd_);
    if (!committed_) ::unlink(fresh_.c_str());
  }

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
      if (count < 0 && errno != EINTR) fail();
      if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  void commit() {
    if (::fchmod(fd_, 0644) != 0 || ::fsync(fd_) != 0) fail();
    if (::rename(fresh_.c_str(), path_.c_str()) != 0) fail();
    committed_ = true;
  }

 private:
  [[noreturn]] void fail() const { throw std::system_error(errno, std::generic_category(), path_); }

  const std::string& path_;
  std::string fresh_;
  int fd_;
  bool committed_ = false;
};

}  // namespace

void replace_file(const std::string& path, std::string_view bytes) {
  FreshFile file(path);
  file.write(bytes);
  file.commit();
}

}  // namespace apus
