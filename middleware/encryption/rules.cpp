#include "middleware/encryption/rules.h"

#include <apus/cipher.h>

namespace apus::encryption {
namespace {

bool has_size(const Secret& key) { return key.size() == CtrCipher::kKeySize; }

bool brings(const CryptoKeys& keys, Wanted wanted) {
  const bool container = wanted == Wanted::kObject || has_size(keys.container);
  const bool object = wanted == Wanted::kContainer || has_size(keys.object);
  return container && object;
}

Refused no_keys() { return {"Unable to retrieve encryption keys.", "text/html; charset=UTF-8"}; }

}  // namespace

Response Refused::answer(const Request& request) const {
  Response out(500, text, type);
  if (request.method == "HEAD") out.body.reset();
  return out;
}

Keys keys_of(const Request& request, const Json* id, Wanted wanted, const Rules& rules) {
  const auto& fetch = request.context.fetch_crypto_keys;
  const std::string& trans_id = request.context.trans_id;
  if (!fetch) {
    rules.log.error("no keys: there is no keymaster in front of encryption", trans_id);
    throw no_keys();
  }
  Keys keys;
  try {
    keys = fetch(id);
  } catch (const UnknownSecretId&) {
    throw;
  } catch (const std::exception& error) {
    rules.log.error(std::string("no keys: ") + error.what(), trans_id);
    throw no_keys();
  }
  if (keys == nullptr || !brings(*keys, wanted)) {
    rules.log.error("no keys: the keymaster's are missing or of another size", trans_id);
    throw no_keys();
  }
  return keys;
}

std::vector<Keys> keys_of_all_secrets(const Request& request, Wanted wanted, const Rules& rules) {
  std::vector<Keys> out{keys_of(request, nullptr, wanted, rules)};
  const std::string active = out.front()->id.dump(false, true);
  for (const Json& id : out.front()->all_ids) {
    if (id.dump(false, true) != active) out.push_back(keys_of(request, &id, wanted, rules));
  }
  return out;
}

}  // namespace apus::encryption
