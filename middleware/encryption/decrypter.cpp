#include "middleware/encryption/decrypter.h"

#include <apus/cipher.h>

#include <set>

#include "middleware/encryption/opened_body.h"
#include "middleware/encryption/sealed_value.h"

namespace apus::encryption {
namespace {

constexpr std::size_t kMaxListing = 64U << 20U;
constexpr const char* kUnknown = "<unknown>";

bool has_metadata(const Response& answer) {
  return answer.is_success() || answer.status == 304 || answer.status == 412 ||
         answer.status == 416;
}

// One answer that may hold an encrypted object.
class ObjectAnswer {
 public:
  ObjectAnswer(const Request& request, Response& out, const Rules& rules)
      : request_(request), out_(out), rules_(rules) {}

  void decrypt() {
    try {
      const auto body_meta = meta_of(kBodyMeta);
      if (body_meta) body_meta->check();
      const Keys body_keys = keys_for(body_meta);
      const auto metadata_meta = meta_of(kMetadataMeta);
      const Keys metadata_keys = keys_for(metadata_meta);
      if (request_.context.crypto_override) return;
      open_etags(*body_keys);
      open_metadata(*metadata_keys);
      if (body_meta && request_.method == "GET" && out_.is_success()) open(*body_meta, *body_keys);
      if (!unfit_.empty())
        fail(unfit_ + ": what it holds is no header's value", "Error decrypting header");
    } catch (const UnknownSecretId& error) {
      fail("unknown secret id " + python_repr(error.what()), "Error decrypting object");
    } catch (const MetaError& error) {
      fail(error.what(), "Error decrypting object");
    }
    drop_what_was_stored(out_.internal);
    drop_what_was_stored(out_.headers);
  }

 private:
  [[noreturn]] void fail(const std::string& why, const char* text) const {
    rules_.log.error(std::string(text) + " " + quote(request_.path) + ": " + why,
                     request_.context.trans_id);
    throw Refused{text};
  }

  std::optional<CryptoMeta> meta_of(const char* name) const {
    const std::string* text = has_metadata(out_) ? out_.internal.find(name) : nullptr;
    if (text == nullptr) return std::nullopt;
    return parse_crypto_meta(*text);
  }

  // Without a meta the keys as they are now: an object without encrypted bytes may have encrypted
  // metadata, and the other way round.
  Keys keys_for(const std::optional<CryptoMeta>& meta) const {
    if (request_.context.crypto_override) return nullptr;
    const Json* id = meta && !meta->key_id.is_null() ? &meta->key_id : nullptr;
    return keys_of(request_, id, Wanted::kObject, rules_);
  }

  // A value that was encrypted. What listings show may be there as it is; all else must have been.
  std::string open_header(const std::string& name, const std::string& text,
                          const CryptoKeys& keys) {
    const bool listed = name == kListingEtag;
    try {
      const MetaValue sealed = split_meta_value(text);
      if (!sealed.meta && !listed) throw MetaError("it has no crypto meta");
      if (!sealed.meta) return text;
      // What names its own key may have been written without a body that would name it: a link.
      const bool named = !sealed.meta->key_id.is_null();
      const Keys own = named ? keys_for(sealed.meta) : nullptr;
      const CryptoKeys& right = own ? *own : keys;
      const Secret& key = listed ? right.container : right.object;
      if (key.empty()) throw MetaError("there is no key for it");
      std::string out = open_value(sealed.value, key.bytes(), *sealed.meta);
      // Under another key than the one it was written with anything may come out. What Swift
      // complains of, a damaged key of the body, is told first, so that an answer is no matter of
      // luck.
      if (out.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) unfit_ = name;
      return out;
    } catch (const MetaError& error) {
      fail(name + ": " + error.what(), "Error decrypting header");
    }
  }

  void open_etags(const CryptoKeys& keys) {
    if (const std::string* etag = out_.internal.find(kEtag))
      out_.headers.set("Etag", open_header(kEtag, *etag, keys));
    if (const std::string* etag = out_.internal.find(kListingEtag)) {
      if (!etag->empty()) out_.internal.set(kListingEtag, open_header(kListingEtag, *etag, keys));
    }
  }

  void open_metadata(const CryptoKeys& keys) {
    constexpr std::string_view kPrefix = kMetadataPrefix;
    for (const auto& [name, value] : out_.internal) {
      if (!starts_with_name(name, kPrefix) || value.empty()) continue;
      out_.headers.set(kUserPrefix + name.substr(kPrefix.size()), open_header(name, value, keys));
    }
  }

  void open(const CryptoMeta& meta, const CryptoKeys& keys) {
    if (out_.body == nullptr) return;
    const Secret key = body_key(meta, keys);
    const auto type = parse_parameterized(out_.headers.get("Content-Type"));
    if (out_.status == 206 && lower(type.value) == "multipart/byteranges") {
      out_.body = open_byteranges(std::move(out_.body), key, *meta.iv);
      return;
    }
    std::uint64_t offset = 0;
    if (const std::string* text = out_.headers.find("Content-Range")) {
      const auto range = parse_content_range(*text);
      if (!range) fail("malformed Content-Range", "Error decrypting object");
      offset = range->first;
    }
    out_.body = open_body(std::move(out_.body), key, *meta.iv, offset);
  }

  static Secret body_key(const CryptoMeta& meta, const CryptoKeys& keys) {
    if (!meta.wrapped_key || !meta.wrapped_key_iv) throw MetaError("Missing 'body_key'");
    if (meta.wrapped_key->size() != CtrCipher::kKeySize)
      throw MetaError("Key must be length 32 bytes");
    if (meta.wrapped_key_iv->size() != CtrCipher::kIvSize)
      throw MetaError("IV must be length 16 bytes");
    return Secret(CtrCipher(keys.object.bytes(), *meta.wrapped_key_iv).apply(*meta.wrapped_key));
  }

  static void drop_what_was_stored(Headers& headers) {
    headers.erase_if([](std::string_view name) {
      return starts_with_name(name, "X-Object-Sysmeta-Crypto-") ||
             starts_with_name(name, "X-Object-Transient-Sysmeta-Crypto-");
    });
  }

  const Request& request_;
  Response& out_;
  const Rules& rules_;
  std::string unfit_;  // the stored field whose opened value cannot stand in an answer
};

// The hashes of one listing.
class ListingRows {
 public:
  ListingRows(const Request& request, const Rules& rules) : request_(request), rules_(rules) {}

  void open(Json& row) {
    const Json* hash = row.find("hash");
    if (hash == nullptr || hash->text() == nullptr || hash->text()->find(';') == std::string::npos)
      return;
    try {
      const MetaValue sealed = split_meta_value(*hash->text());
      if (sealed.meta) row.set("hash", plain(sealed.value, *sealed.meta));
    } catch (const UnknownSecretId& error) {
      // Once a listing is enough.
      if (unknown_.insert(error.what()).second)
        complain(std::string("unknown secret id ") + python_repr(error.what()));
      row.set("hash", kUnknown);
    } catch (const MetaError& error) {
      complain(error.what());
      row.set("hash", kUnknown);
    }
  }

 private:
  std::string plain(const std::string& value, const CryptoMeta& meta) const {
    meta.check();
    const Json* id = meta.key_id.is_null() ? nullptr : &meta.key_id;
    const Keys keys = keys_of(request_, id, Wanted::kContainer, rules_);
    std::string out = open_value(value, keys->container.bytes(), meta);
    if (!is_utf8(out)) throw MetaError("a hash was written with another key");
    return out;
  }

  void complain(const std::string& why) const {
    rules_.log.error("Error decrypting container listing " + quote(request_.path) + ": " + why,
                     request_.context.trans_id);
  }

  const Request& request_;
  const Rules& rules_;
  std::set<std::string> unknown_;
};

}  // namespace

Response decrypt_object(const Request& request, Response answer, const Rules& rules) {
  ObjectAnswer(request, answer, rules).decrypt();
  return answer;
}

Response decrypt_listing(const Request& request, Response answer, const Rules& rules) {
  const std::string_view type = answer.headers.get("Content-Type");
  if (request.context.crypto_override || !answer.is_success() || answer.body == nullptr ||
      trim(type.substr(0, type.find(';'))) != "application/json")
    return answer;
  std::string text = read_all(answer.body.get(), kMaxListing);
  if (text.find("swift_meta=") != std::string::npos) {
    if (auto json = Json::parse(text); json && json->array() != nullptr) {
      Json::Array rows = *json->array();
      ListingRows listing(request, rules);
      for (Json& row : rows) listing.open(row);
      text = Json(std::move(rows)).dump();
    }
  }
  answer.content_length = text.size();
  answer.body = std::make_unique<StringSource>(std::move(text));
  return answer;
}

}  // namespace apus::encryption
