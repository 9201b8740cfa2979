// A partition's cache of suffix hashes: hashes.pkl, and its journal hashes.invalid.
#pragma once

#include <apus/disk.h>
#include <apus/host.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/store/object/suffix_map.h"

namespace apus {

/// What hashes.pkl holds.
struct SuffixHashes {
  bool valid = false;   ///< false: unreadable, absent, or said so by its writer
  double updated = -1;  ///< seconds since 1970 of its writing; -1 when the file does not say
  SuffixMap suffixes;

  friend bool operator==(const SuffixHashes&, const SuffixHashes&) = default;
};

/// The pickle of hashes.pkl, as Swift reads it.
APUS_API std::string encode_hashes(const SuffixHashes& hashes);
/// Not valid for anything that is no such pickle, or that names what is no suffix.
APUS_API SuffixHashes decode_hashes(std::string_view pickle);
/// The answer to REPLICATE: the suffixes alone.
APUS_API std::string encode_suffixes(const SuffixMap& suffixes);
/// Reads such an answer; nothing when it is none. A hash that is no text is none.
APUS_API std::optional<SuffixMap> decode_suffixes(std::string_view pickle);

/// The hash files of one partition folder. A value; all state is on the disk.
class APUS_API HashFiles {
 public:
  HashFiles(Disk& disk, Clock& clock, Entropy& entropy, std::string partition);

  [[nodiscard]] SuffixHashes read() const;
  /// Takes the journal's suffixes into hashes.pkl and empties the journal, under the partition's
  /// lock. Nothing when the lock or the journal cannot be had; errno tells.
  [[nodiscard]] std::optional<SuffixHashes> consolidate() const;
  /// Hashes one suffix; nothing: it is gone. Throws std::system_error when it cannot be read now.
  using HashSuffix = std::function<std::optional<std::string>(const std::string& suffix)>;
  struct Result {
    SuffixMap suffixes;
    std::size_t hashed = 0;  ///< suffixes whose hash was made anew
  };
  /// The hashes of all suffixes: the cached ones, those in the journal and in `recalculate` made
  /// anew. `list` looks into the folder for suffixes that the cache does not know. What was made is
  /// written back unless another process wrote meanwhile; then all is done again.
  [[nodiscard]] Result refresh(const std::vector<std::string>& recalculate, bool list,
                               const HashSuffix& hash) const;

 private:
  [[nodiscard]] int write(SuffixHashes& hashes, bool durable) const;
  [[nodiscard]] std::string path(std::string_view name) const;
  bool round(const std::vector<std::string>& recalculate, bool list, const HashSuffix& hash,
             Result& out) const;

  Disk& disk_;
  Clock& clock_;
  Entropy& entropy_;
  std::string partition_;
};

}  // namespace apus
