#include "middleware/encryption/encrypter.h"

#include <apus/constraints.h>

#include "middleware/encryption/sealed_value.h"
#include "middleware/encryption/upload_seal.h"

namespace apus::encryption {
namespace {

constexpr const char* kEtagIsAt = "X-Backend-Etag-Is-At";

std::optional<Response> check(const Request& request, const Rules& rules) {
  return check_metadata(request, MetadataKind::kObject, rules.host.swift_conf().constraints);
}

bool is_user_metadata(std::string_view name) {
  return starts_with_name(name, kUserPrefix) && name.size() > std::string_view(kUserPrefix).size();
}

// X-Object-Meta-NAME becomes X-Object-Transient-Sysmeta-Crypto-Meta-NAME; an empty one stays.
void seal_metadata(Request& request, const CryptoKeys& keys, const Rules& rules) {
  Headers kept;
  bool any = false;
  for (const auto& [name, value] : request.headers) {
    if (!is_user_metadata(name) || value.empty()) {
      kept.append_known_new(name, value);
      continue;
    }
    any = true;
    request.internal.set(kMetadataPrefix + name.substr(std::string_view(kUserPrefix).size()),
                         seal_value(value, keys.object.bytes(), rules.host.entropy()));
  }
  if (!any) return;
  request.headers = std::move(kept);
  CryptoMeta meta;
  meta.cipher = kCipherName;
  meta.key_id = keys.id;
  request.internal.set(kMetadataMeta, meta.dump());
}

std::optional<std::string> copy_of(const std::string* value) {
  return value == nullptr ? std::nullopt : std::optional(*value);
}

}  // namespace

Response put_encrypted(Request& request, const App& next, const Rules& rules) {
  if (auto bad = check(request, rules)) return std::move(*bad);
  const Keys keys = keys_of(request, nullptr, Wanted::kBoth, rules);
  seal_metadata(request, *keys, rules);
  auto& footers = request.context.update_footers;
  const auto footers_before = footers;
  const auto seal = std::make_shared<UploadSeal>(
      keys, rules.host.entropy(),
      UploadSeal::Before{.etag = std::string(request.headers.get("Etag")),
                         .listing_etag = copy_of(request.internal.find(kListingEtag)),
                         .more_footers = footers});
  // It is of other bytes than those that will be stored: theirs comes with the footers.
  request.headers.erase("Etag");
  footers = [seal](Headers& to) { seal->add_footers(to); };
  if (request.body) request.body = std::make_unique<SealingSource>(std::move(request.body), seal);
  Response out;
  try {
    out = next(request);
  } catch (const BodyError&) {
    if (!seal->mismatched()) throw;
    return error_response(422);
  }
  footers = footers_before;
  if (seal->mismatched()) return error_response(422);
  const bool sealed = out.is_success() && !seal->sealed_etag().empty();
  if (sealed && unquote_etag(out.headers.get("Etag")) == seal->sealed_etag())
    out.headers.set("Etag", seal->plain_etag());
  return out;
}

Response post_encrypted(Request& request, const App& next, const Rules& rules) {
  if (auto bad = check(request, rules)) return std::move(*bad);
  const Keys keys = keys_of(request, nullptr, Wanted::kObject, rules);
  seal_metadata(request, *keys, rules);
  return next(request);
}

MaskedConditions::MaskedConditions(Request& request, const Rules& rules)
    : request_(request), rules_(rules) {
  const bool match = mask("If-Match");
  const bool none_match = mask("If-None-Match");
  if (!match && !none_match) return;
  const std::string other(request.internal.get(kEtagIsAt));
  before_.emplace_back(kEtagIsAt, other);
  request.internal.set(kEtagIsAt, other.empty() ? kEtagMac : other + "," + kEtagMac);
}

// The ETags themselves stay: the object may have been stored before there was encryption. It is not
// known which secret it was stored under, hence the HMACs of all.
bool MaskedConditions::mask(const char* name) {
  const std::string before(request_.headers.get(name));
  if (before.empty()) return false;
  std::string masked;
  bool any = false;
  const auto add = [&](std::string_view text) {
    masked.append(masked.empty() ? "" : ", ").append(text);
  };
  for (const std::string& tag : split_list(before)) {
    const std::string etag(unquote_etag(tag));
    if (etag == "*") {
      add("*");
      continue;
    }
    if (keys_.empty()) keys_ = keys_of_all_secrets(request_, Wanted::kObject, rules_);
    add("\"" + etag + "\"");
    for (const Keys& keys : keys_) add("\"" + etag_mac(etag, keys->object.bytes()) + "\"");
    any = true;
  }
  before_.emplace_back(name, before);
  request_.headers.set(name, masked);
  return any;
}

MaskedConditions::~MaskedConditions() {
  for (const auto& [name, value] : before_) {
    if (name != kEtagIsAt) {
      request_.headers.set(name, value);
    } else if (value.empty()) {
      request_.internal.erase(kEtagIsAt);
    } else {
      request_.internal.set(kEtagIsAt, value);
    }
  }
}

}  // namespace apus::encryption
