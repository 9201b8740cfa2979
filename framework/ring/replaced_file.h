// A file that takes the place of another in one step.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace apus {

/// Writes beside `path`, under a name that is no one else's; without commit() nothing remains. One
/// thread. All throw std::system_error that names the file.
class ReplacedFile {
 public:
  explicit ReplacedFile(std::string path);
  ReplacedFile(const ReplacedFile&) = delete;
  ReplacedFile& operator=(const ReplacedFile&) = delete;
  ~ReplacedFile();

  void write(std::string_view bytes);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// On the disk, mode 0644, under its name.
  void commit();

 private:
  [[noreturn]] void fail() const;

  std::string path_;
  std::string fresh_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace apus
