#include "middleware/encryption/upload_seal.h"

#include <apus/secret.h>
#include <apus/text.h>

#include "middleware/encryption/sealed_value.h"

namespace apus::encryption {
namespace {

constexpr std::string_view kEmptyEtag = "d41d8cd98f00b204e9800998ecf8427e";

}  // namespace

UploadSeal::UploadSeal(Keys keys, Entropy& entropy, Before before)
    : keys_(std::move(keys)), entropy_(entropy), before_(std::move(before)) {}

void UploadSeal::start() {
  std::string random(CtrCipher::kKeySize, '\0');
  entropy_.fill(random);
  const Secret key(std::move(random));
  meta_ = new_crypto_meta(entropy_);
  meta_.key_id = keys_->id;
  meta_.wrapped_key_iv = new_crypto_meta(entropy_).iv;
  meta_.wrapped_key = CtrCipher(keys_->object.bytes(), *meta_.wrapped_key_iv).apply(key.bytes());
  running_.emplace(Running{CtrCipher(key.bytes(), *meta_.iv)});
}

void UploadSeal::apply(std::span<char> bytes) {
  if (bytes.empty()) return;
  if (!running_) start();
  const std::string_view text(bytes.data(), bytes.size());
  running_->plain.update(text);
  running_->cipher.apply(bytes);
  running_->sealed.update(text);
}

void UploadSeal::finish() {
  if (!running_ || !plain_etag_.empty()) return;
  plain_etag_ = running_->plain.finish_hex();
  sealed_etag_ = running_->sealed.finish_hex();
}

void UploadSeal::add_footers(Headers& footers) {
  finish();
  if (before_.more_footers) before_.more_footers(footers);
  if (running_) {
    describe_body(footers);
  } else if (!before_.etag.empty() && !footers.has("Etag")) {
    footers.set("Etag", before_.etag);
  }
  hide_listing_etag(footers);
}

void UploadSeal::describe_body(Headers& footers) {
  std::string wanted(unquote_etag(footers.get("Etag")));
  if (wanted.empty()) wanted = unquote_etag(before_.etag);
  if (!wanted.empty() && wanted != plain_etag_) {
    mismatched_ = true;
    throw BodyError(BodyError::Kind::kDigest, "the body's MD5 is not the ETag that was sent");
  }
  const std::string_view key = keys_->object.bytes();
  footers.set("Etag", sealed_etag_);
  footers.set(kEtag, seal_value(plain_etag_, key, entropy_));
  footers.set(kBodyMeta, meta_.dump());
  footers.set(kEtagMac, etag_mac(plain_etag_, key));
}

// The container's key alone opens it: a listing needs no other.
void UploadSeal::hide_listing_etag(Headers& footers) {
  std::string etag = before_.listing_etag.value_or(plain_etag_);
  if (const std::string* footer = footers.find(kListingEtag)) etag = *footer;
  // That nothing was stored is no secret; that something is shown as if it were nothing may be.
  if (etag.empty() || (etag == kEmptyEtag && plain_etag_.empty())) return;
  footers.set(kListingEtag, seal_value(etag, keys_->container.bytes(), entropy_, &keys_->id));
}

SealingSource::SealingSource(std::unique_ptr<Source> plain, std::shared_ptr<UploadSeal> seal)
    : plain_(std::move(plain)), seal_(std::move(seal)) {}
SealingSource::~SealingSource() = default;

std::size_t SealingSource::read(std::span<char> out) {
  const std::size_t count = plain_->read(out);
  seal_->apply(out.first(count));
  return count;
}

void SealingSource::continue_with(const Headers& fields) { plain_->continue_with(fields); }
bool SealingSource::next_body() { return plain_->next_body(); }

}  // namespace apus::encryption
