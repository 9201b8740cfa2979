// One object's body on its way to the disk: encrypted as it passes, under a key of its own that is
// stored beside it, itself encrypted under the object's key.
#pragma once

#include <apus/cipher.h>
#include <apus/digest.h>
#include <apus/source.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "middleware/encryption/crypto_meta.h"
#include "middleware/encryption/rules.h"

namespace apus::encryption {

/// Shared by the body's Source and the callback that adds the footers. One thread at a time.
class UploadSeal {
 public:
  /// What was known of the body before it came.
  struct Before {
    std::string etag;                            ///< what it must have; empty = anything
    std::optional<std::string> listing_etag;     ///< what a filter says that listings show
    std::function<void(Headers&)> more_footers;  ///< of filters in front; may be empty
  };

  UploadSeal(Keys keys, Entropy& entropy, Before before);

  /// Encrypts the next bytes, in place. The first call makes the key.
  void apply(std::span<char> bytes);

  /// To be called behind the last byte. Throws BodyError kDigest when the bytes are not those that
  /// were announced.
  void add_footers(Headers& footers);

  /// Hex MD5 of what came and of what was stored; empty when no byte came.
  [[nodiscard]] const std::string& plain_etag() const { return plain_etag_; }
  [[nodiscard]] const std::string& sealed_etag() const { return sealed_etag_; }
  /// Whether `add_footers` found other bytes than announced.
  [[nodiscard]] bool mismatched() const { return mismatched_; }

 private:
  struct Running {
    CtrCipher cipher;
    Digest plain{DigestKind::kMd5};
    Digest sealed{DigestKind::kMd5};
  };

  void start();
  void finish();
  void describe_body(Headers& footers);
  void hide_listing_etag(Headers& footers);

  Keys keys_;
  Entropy& entropy_;
  Before before_;
  CryptoMeta meta_;
  std::optional<Running> running_;
  std::string plain_etag_;
  std::string sealed_etag_;
  bool mismatched_ = false;
};

/// The body, encrypted while it is read.
class SealingSource final : public Source {
 public:
  SealingSource(std::unique_ptr<Source> plain, std::shared_ptr<UploadSeal> seal);
  ~SealingSource() override;
  std::size_t read(std::span<char> out) override;
  void continue_with(const Headers& fields) override;
  bool next_body() override;

 private:
  std::unique_ptr<Source> plain_;
  std::shared_ptr<UploadSeal> seal_;
};

}  // namespace apus::encryption
