#include "middleware/encryption/sealed_value.h"

#include <apus/cipher.h>
#include <apus/digest.h>

namespace apus::encryption {

CryptoMeta new_crypto_meta(Entropy& entropy) {
  CryptoMeta out;
  out.cipher = kCipherName;
  out.iv.emplace(CtrCipher::kIvSize, '\0');
  entropy.fill(*out.iv);
  return out;
}

std::string seal_value(std::string_view value, std::string_view key, Entropy& entropy,
                       const Json* key_id) {
  CryptoMeta meta = new_crypto_meta(entropy);
  if (key_id != nullptr) meta.key_id = *key_id;
  return join_meta_value(base64_encode(CtrCipher(key, *meta.iv).apply(value)), meta);
}

std::string open_value(std::string_view text, std::string_view key, const CryptoMeta& meta) {
  meta.check();
  if (text.empty()) return {};
  const auto bytes = base64_decode(text);
  if (!bytes) throw MetaError("the encrypted value is no base64");
  return CtrCipher(key, *meta.iv).apply(*bytes);
}

std::string etag_mac(std::string_view etag, std::string_view key) {
  return base64_encode(hmac(DigestKind::kSha256, key, etag));
}

}  // namespace apus::encryption
