// Digests, HMAC, base64 and comparison in constant time.
#pragma once

#include <apus/abi.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace apus {

enum class DigestKind : std::uint8_t { kMd5, kSha1, kSha256, kSha512 };

/// A running digest. Movable, one thread at a time.
class APUS_API Digest {
 public:
  explicit Digest(DigestKind kind);
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;
  ~Digest();

  void update(std::string_view bytes);
  /// Raw bytes; the digest must not be used afterwards.
  std::string finish();
  /// As lower-case hex.
  std::string finish_hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Lower-case hex MD5 of the bytes.
APUS_API std::string md5_hex(std::string_view bytes);
/// Raw MAC.
APUS_API std::string hmac(DigestKind kind, std::string_view key, std::string_view text);
APUS_API std::string to_hex(std::string_view bytes);
/// Nothing when the length is odd or a digit is not hex.
APUS_API std::optional<std::string> from_hex(std::string_view text);
APUS_API std::string base64_encode(std::string_view bytes);
/// Standard or URL-safe alphabet, with its padding. Nothing when malformed.
APUS_API std::optional<std::string> base64_decode(std::string_view text);
/// Takes a time that depends on the lengths alone.
APUS_API bool constant_time_equal(std::string_view a, std::string_view b);

}  // namespace apus
