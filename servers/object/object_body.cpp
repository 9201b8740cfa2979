#include "servers/object/object_body.h"

#include <apus/digest.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace apus {
namespace {

// How much is read before it is dropped from the page cache: not a system call for every piece.
constexpr std::uint64_t kDropWindow = 1U << 20U;

class FileSource final : public Source {
 public:
  FileSource(Disk& disk, std::shared_ptr<const Fd> data, const ByteRange& range, bool keep_cache)
      : disk_(disk),
        data_(std::move(data)),
        at_(range.first),
        left_(range.length()),
        cached_(range.first),
        keep_cache_(keep_cache) {}
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  ~FileSource() override { drop(); }

  std::size_t read(std::span<char> out) override {
    if (left_ == 0) return 0;
    const auto want =
        out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left_)));
    while (true) {
      const ssize_t count = disk_.pread(data_->get(), want, at_);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) {
        throw BodyError(BodyError::Kind::kIo, count == 0
                                                  ? "the object's file is shorter than it was"
                                                  : std::strerror(errno));
      }
      at_ += static_cast<std::uint64_t>(count);
      left_ -= static_cast<std::uint64_t>(count);
      if (at_ - cached_ > kDropWindow) drop();
      return static_cast<std::size_t>(count);
    }
  }

  std::optional<FileRegion> file_region() override {
    if (left_ == 0) return std::nullopt;
    return FileRegion{data_->get(), at_, left_};
  }
  void sent() override {
    at_ += left_;
    left_ = 0;
  }

 private:
  // Advice: what became of it is of no matter.
  void drop() {
    if (!keep_cache_ && at_ > cached_) {
      ::posix_fadvise(data_->get(), static_cast<off_t>(cached_), static_cast<off_t>(at_ - cached_),
                      POSIX_FADV_DONTNEED);
    }
    cached_ = at_;
  }

  Disk& disk_;
  std::shared_ptr<const Fd> data_;
  std::uint64_t at_;
  std::uint64_t left_;
  std::uint64_t cached_;  // from here to at_ it may be in the page cache because of us
  bool keep_cache_;
};

class CheckedSource final : public Source {
 public:
  CheckedSource(std::unique_ptr<Source> inner, std::string etag,
                std::function<void(const std::string&)> damaged)
      : inner_(std::move(inner)), etag_(std::move(etag)), damaged_(std::move(damaged)) {}

  std::size_t read(std::span<char> out) override {
    const std::size_t count = inner_->read(out);
    if (count > 0) {
      digest_.update({out.data(), count});
    } else if (!ended_) {
      ended_ = true;
      const std::string found = digest_.finish_hex();
      if (found != etag_) damaged_("its bytes have the MD5 " + found + ", its ETag is " + etag_);
    }
    return count;
  }

 private:
  std::unique_ptr<Source> inner_;
  std::string etag_;
  std::function<void(const std::string&)> damaged_;
  Digest digest_{DigestKind::kMd5};
  bool ended_ = false;
};

}  // namespace

ObjectBody::ObjectBody(Disk& disk, Fd data, std::uint64_t size, std::string etag, bool keep_cache)
    : disk_(disk),
      data_(std::make_shared<const Fd>(std::move(data))),
      size_(size),
      etag_(std::move(etag)),
      keep_cache_(keep_cache) {}

std::unique_ptr<Source> ObjectBody::part(const ByteRange& range) const {
  return std::make_unique<FileSource>(disk_, data_, range, keep_cache_);
}

std::shared_ptr<const std::string> ObjectBody::checked_in_memory() const {
  FileSource source(disk_, data_, {0, size_ - 1}, keep_cache_);
  std::string bytes(size_, '\0');
  std::size_t have = 0;
  while (have < bytes.size()) {
    const std::size_t count = source.read(std::span(bytes).subspan(have));
    if (count == 0) return nullptr;
    have += count;
  }
  if (md5_hex(bytes) != etag_) return nullptr;
  return std::make_shared<const std::string>(std::move(bytes));
}

std::unique_ptr<Source> ObjectBody::checked_while_read(
    std::function<void(const std::string&)> damaged) const {
  return std::make_unique<CheckedSource>(part({0, size_ - 1}), etag_, std::move(damaged));
}

}  // namespace apus
