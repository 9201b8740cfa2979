// The bytes of an open object as Sources.
#pragma once

#include <apus/conditional.h>
#include <apus/disk.h>
#include <apus/source.h>

#include <functional>
#include <memory>
#include <string>

namespace apus {

/// Shares one descriptor among the parts of an answer. Copies are cheap.
class ObjectBody {
 public:
  /// `keep_cache` false = what was read is dropped from the page cache again.
  ObjectBody(Disk& disk, Fd data, std::uint64_t size, std::string etag, bool keep_cache);

  /// Bytes of a range, unchecked: may be sent from the page cache.
  [[nodiscard]] std::unique_ptr<Source> part(const ByteRange& range) const;
  /// All bytes, read and checked against the ETag now; null when they do not match.
  [[nodiscard]] std::shared_ptr<const std::string> checked_in_memory() const;
  /// All bytes, checked as they are read; `damaged` is called after the last when they do not
  /// match.
  [[nodiscard]] std::unique_ptr<Source> checked_while_read(
      std::function<void(const std::string&)> damaged) const;

 private:
  Disk& disk_;
  std::shared_ptr<const Fd> data_;
  std::uint64_t size_;
  std::string etag_;
  bool keep_cache_;
};

}  // namespace apus
