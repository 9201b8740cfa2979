// AES-256 in counter mode, piece by piece: the same call encrypts and decrypts.
#pragma once

#include <apus/abi.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace apus {

/// A running AES-256-CTR. Its counter is the initialisation vector as one big-endian number, plus
/// one for each block, modulo 2^128. Movable, one thread at a time.
class APUS_API CtrCipher {
 public:
  static constexpr std::size_t kKeySize = 32;
  static constexpr std::size_t kIvSize = 16;  ///< and the size of a block

  /// Stands at byte `offset` of the message. Throws std::invalid_argument when `key` or `iv` has
  /// another size. Neither is kept but within OpenSSL, which overwrites them at the end.
  CtrCipher(std::string_view key, std::string_view iv, std::uint64_t offset = 0);
  CtrCipher(const CtrCipher&) = delete;
  CtrCipher(CtrCipher&&) noexcept;
  CtrCipher& operator=(const CtrCipher&) = delete;
  CtrCipher& operator=(CtrCipher&&) noexcept;
  ~CtrCipher();

  /// The next bytes of the message, in place.
  void apply(std::span<char> bytes);
  std::string apply(std::string_view bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace apus
