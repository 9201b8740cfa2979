// Bodies: pulled in pieces by whoever wants them, never held whole.
#pragma once

#include <apus/abi.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>

namespace apus {

class Headers;

/// A stretch of an open file. The descriptor stays the Source's own.
struct FileRegion {
  int fd = -1;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

/// Why a body could not be read to its end.
class APUS_API BodyError : public std::runtime_error {
 public:
  enum class Kind {
    kDisconnect,  ///< the peer closed before the announced end: Swift's 499
    kTimeout,     ///< no byte within the client's time: 408
    kTooLarge,    ///< more bytes than were allowed: 413
    kMalformed,   ///< broken chunked framing: 400
    kIo,          ///< the disk or the back end failed
    kDigest,      ///< the bytes do not match the digest they were announced with: 422
  };

  BodyError(Kind kind, const std::string& what);
  ~BodyError() override;
  [[nodiscard]] Kind kind() const { return kind_; }
  /// The status that tells it to a client: as said at each kind, 500 for kIo.
  [[nodiscard]] int status() const;

 private:
  Kind kind_;
};

/// A body, read once from front to back by one thread. Its destructor closes whatever feeds it,
/// read to the end or not.
class APUS_API Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source();

  /// Fills up to `out.size()` bytes (at least 1) and returns how many; 0 only at the end, again and
  /// again. Blocks until there is a byte. Throws BodyError.
  virtual std::size_t read(std::span<char> out) = 0;

  /// The bytes not yet read, when they are exactly a stretch of a file: the host then sends them
  /// without copying and calls `sent` instead of `read`. A filter's wrapper leaves this at nothing.
  virtual std::optional<FileRegion> file_region();

  /// Told by the host after the whole region went out.
  virtual void sent();

  /// For the body of a request whose sender waits for "100 Continue": the fields that this answer
  /// shall carry. Before the first read; of no effect where nobody waits.
  virtual void continue_with(const Headers& fields);

  /// Swift's two-phase uploads carry a second chunked body in the same request. At the end of the
  /// first: asks the sender for the other by one more "100 Continue" with the same fields, and lets
  /// `read` go on with it. False, with nothing done, for every other kind of body. Throws
  /// BodyError.
  virtual bool next_body();
};

/// A body of bytes in memory.
class APUS_API StringSource final : public Source {
 public:
  explicit StringSource(std::string bytes);
  ~StringSource() override;
  std::size_t read(std::span<char> out) override;
  /// Takes out what was not read yet; it is at its end then.
  std::string release();

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

/// Reads `source` to its end into a string. Throws BodyError kTooLarge when it holds more than
/// `limit` bytes; a null source is an empty body.
APUS_API std::string read_all(Source* source, std::size_t limit);

/// Reads and drops at most `limit` bytes; true when the end was reached. A null source is at its
/// end.
APUS_API bool drain(Source* source, std::uint64_t limit);

}  // namespace apus
