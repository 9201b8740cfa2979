// What is stored beside encrypted bytes to find their way back: cipher, initialisation vector, the
// keymaster's name for the key. JSON, percent-encoded, as Swift writes it.
#pragma once

#include <apus/json.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace apus::encryption {

inline constexpr std::string_view kCipherName = "AES_CTR_256";

/// What was stored cannot be used; the text says why, without a secret.
class MetaError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct CryptoMeta {
  std::optional<std::string> cipher;
  std::optional<std::string> iv;              ///< raw bytes
  Json key_id;                                ///< null = none
  std::optional<std::string> wrapped_key;     ///< raw bytes: the body's key, itself encrypted
  std::optional<std::string> wrapped_key_iv;  ///< raw bytes

  /// Throws MetaError unless it has the one cipher there is and a vector of its size.
  void check() const;
  /// For a header's value.
  [[nodiscard]] std::string dump() const;
};

/// Throws MetaError.
CryptoMeta parse_crypto_meta(std::string_view text);

/// "VALUE; swift_meta=META" taken apart. Without meta, or with an empty one, `value` is the whole
/// text.
struct MetaValue {
  std::string value;
  std::optional<CryptoMeta> meta;
};
/// Throws MetaError when there is a meta and it is malformed.
MetaValue split_meta_value(std::string_view text);
std::string join_meta_value(std::string value, const CryptoMeta& meta);

}  // namespace apus::encryption
