// What a keymaster hands to whoever encrypts: the keys of one path, and a name for them that is
// stored beside what was encrypted.
#pragma once

#include <apus/abi.h>
#include <apus/json.h>
#include <apus/secret.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace apus {

/// The keys of a request's path. Immutable; shared by all who handle the request.
struct CryptoKeys {
  Secret container;  ///< empty when the path names no container
  Secret object;     ///< empty when the path names no object
  /// The keymaster's own word for these keys, an object. Given back to `Context::fetch_crypto_keys`
  /// it brings the same keys again; nobody else reads anything into it.
  Json id;
  /// As `id`, of every root secret the keymaster knows, `id` among them.
  std::vector<Json> all_ids;
};

/// Thrown by `Context::fetch_crypto_keys`: `secret_id` is of no secret that was loaded. Whatever
/// else it throws means that there are no keys at all for this request.
class APUS_API UnknownSecretId : public std::runtime_error {
 public:
  explicit UnknownSecretId(const std::string& secret_id);
  ~UnknownSecretId() override;
};

}  // namespace apus
