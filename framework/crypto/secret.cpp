#include <apus/crypto_keys.h>
#include <apus/secret.h>
#include <openssl/crypto.h>

#include <utility>

namespace apus {

void wipe(std::string& bytes) {
  // What lies behind the size is there too: a string that shrank keeps its bytes.
  bytes.resize(bytes.capacity());
  OPENSSL_cleanse(bytes.data(), bytes.size());
  bytes.clear();
}

Secret::Secret() = default;
Secret::Secret(std::string&& bytes) : bytes_(bytes) { wipe(bytes); }
Secret::Secret(const Secret&) = default;
Secret::Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { wipe(other.bytes_); }
Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    wipe(bytes_);
    bytes_ = other.bytes_;
  }
  return *this;
}
Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe(bytes_);
    bytes_.swap(other.bytes_);
  }
  return *this;
}
Secret::~Secret() { wipe(bytes_); }

UnknownSecretId::UnknownSecretId(const std::string& secret_id) : std::runtime_error(secret_id) {}
UnknownSecretId::~UnknownSecretId() = default;

}  // namespace apus
