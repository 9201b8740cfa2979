// Single values under a key: ETags and metadata, as base64 with their meta behind them.
#pragma once

#include <apus/host.h>
#include <apus/json.h>

#include <string>
#include <string_view>

#include "middleware/encryption/crypto_meta.h"

namespace apus::encryption {

/// Cipher and a vector of 16 random bytes.
CryptoMeta new_crypto_meta(Entropy& entropy);

/// "BASE64; swift_meta=META". With `key_id` the meta names the key.
std::string seal_value(std::string_view value, std::string_view key, Entropy& entropy,
                       const Json* key_id = nullptr);

/// The value that `text` (base64) was made of. Throws MetaError when it or `meta` is malformed.
std::string open_value(std::string_view text, std::string_view key, const CryptoMeta& meta);

/// Base64 of the HMAC by which conditions are held against an ETag that nobody may see.
std::string etag_mac(std::string_view etag, std::string_view key);

}  // namespace apus::encryption
