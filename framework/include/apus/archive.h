// Tar archives as they stream in, plain or compressed.
#pragma once

#include <apus/abi.h>
#include <apus/source.h>

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace apus {

/// The bytes are no such archive, or end too early.
class APUS_API ArchiveError : public std::runtime_error {
 public:
  explicit ArchiveError(const std::string& what);
  ~ArchiveError() override;
};

struct ArchiveEntry {
  std::string path;  ///< bytes as in the archive
  std::uint64_t size = 0;
  bool regular_file = false;
  std::vector<std::pair<std::string, std::string>> attributes;  ///< "user.mime_type" and its bytes
};

enum class Compression : std::uint8_t { kNone, kGzip, kBzip2 };

/// Entries of a tar archive (ustar, GNU, pax), one after the other, in constant
/// memory. One thread at a time.
class APUS_API ArchiveReader {
 public:
  /// `body` outlives it.
  ArchiveReader(Source& body, Compression compression);
  ArchiveReader(const ArchiveReader&) = delete;
  ArchiveReader& operator=(const ArchiveReader&) = delete;
  ~ArchiveReader();

  /// Goes to the next entry, passing over what was not read of the present one.
  /// False at the end. Throws ArchiveError and BodyError.
  bool next(ArchiveEntry& entry);
  /// The present entry's bytes, 0 at its end. Throws ArchiveError and
  /// BodyError.
  std::size_t read(std::span<char> out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace apus
