#include "middleware/encryption/crypto_meta.h"

#include <apus/cipher.h>
#include <apus/digest.h>
#include <apus/text.h>

namespace apus::encryption {
namespace {

// Far above what a path of the longest names takes, every byte of it as \u00XX percent-encoded.
constexpr std::size_t kLargest = 256U << 10U;

std::optional<std::string> bytes_member(const Json& from, const char* name) {
  const Json* member = from.find(name);
  if (member == nullptr) return std::nullopt;
  if (member->text() == nullptr)
    throw MetaError(std::string("Bad crypto meta: ") + name + " is no text");
  auto bytes = base64_decode(*member->text());
  if (!bytes) throw MetaError(std::string("Bad crypto meta: ") + name + " is no base64");
  return bytes;
}

CryptoMeta read_meta(const Json& json) {
  CryptoMeta out;
  if (const Json* cipher = json.find("cipher"))
    out.cipher = cipher->text() != nullptr ? *cipher->text() : std::string();
  out.iv = bytes_member(json, "iv");
  if (const Json* id = json.find("key_id")) out.key_id = *id;
  if (const Json* key = json.find("body_key"); key != nullptr && key->object() != nullptr) {
    out.wrapped_key = bytes_member(*key, "key");
    out.wrapped_key_iv = bytes_member(*key, "iv");
  }
  return out;
}

Json parse_object(std::string_view text) {
  if (text.size() > kLargest) throw MetaError("Bad crypto meta: too large");
  auto json = Json::parse(unquote_plus(text), kLargest);
  if (!json || json->object() == nullptr) throw MetaError("Bad crypto meta: no JSON object");
  return std::move(*json);
}

}  // namespace

void CryptoMeta::check() const {
  if (!cipher) throw MetaError("Bad crypto meta: Missing 'cipher'");
  if (*cipher != kCipherName) throw MetaError("Bad crypto meta: Cipher must be AES_CTR_256");
  if (!iv) throw MetaError("Bad crypto meta: Missing 'iv'");
  if (iv->size() != CtrCipher::kIvSize)
    throw MetaError("Bad crypto meta: IV must be length 16 bytes");
}

std::string CryptoMeta::dump() const {
  Json out;
  if (cipher) out.set("cipher", *cipher);
  if (iv) out.set("iv", base64_encode(*iv));
  if (!key_id.is_null()) out.set("key_id", key_id);
  if (wrapped_key && wrapped_key_iv) {
    Json key;
    key.set("key", base64_encode(*wrapped_key));
    key.set("iv", base64_encode(*wrapped_key_iv));
    out.set("body_key", std::move(key));
  }
  return quote_plus(out.dump(false, true));
}

CryptoMeta parse_crypto_meta(std::string_view text) { return read_meta(parse_object(text)); }

MetaValue split_meta_value(std::string_view text) {
  if (text.find(';') == std::string_view::npos) return {std::string(text), std::nullopt};
  ParameterizedValue pieces = parse_parameterized(text);
  for (const auto& [name, value] : pieces.parameters) {
    if (name != "swift_meta") continue;
    const Json json = parse_object(value);
    if (json.object()->empty()) break;
    return {std::move(pieces.value), read_meta(json)};
  }
  return {std::string(text), std::nullopt};
}

std::string join_meta_value(std::string value, const CryptoMeta& meta) {
  return value.append("; swift_meta=").append(meta.dump());
}

}  // namespace apus::encryption
