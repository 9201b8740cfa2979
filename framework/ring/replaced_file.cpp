#include "framework/ring/replaced_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace apus {

ReplacedFile::ReplacedFile(std::string path) : path_(std::move(path)), fresh_(path_ + ".XXXXXX") {
  fd_ = ::mkostemp(fresh_.data(), O_CLOEXEC);
  if (fd_ < 0) {
    const int error = errno;
    throw std::system_error(error, std::generic_category(), path_);
  }
}

ReplacedFile::~ReplacedFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(fresh_.c_str());
}

void ReplacedFile::fail() const { throw std::system_error(errno, std::generic_category(), path_); }

void ReplacedFile::write(std::string_view bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) fail();
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void ReplacedFile::commit() {
  if (::fchmod(fd_, 0644) != 0 || ::fsync(fd_) != 0) fail();
  if (::rename(fresh_.c_str(), path_.c_str()) != 0) fail();
  ::close(fd_);
  fd_ = -1;
}

}  // namespace apus
