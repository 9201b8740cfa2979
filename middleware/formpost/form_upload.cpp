#include "middleware/formpost/form_upload.h"

#include <apus/text.h>

#include <algorithm>

namespace apus::formpost {
namespace {

std::string or_zero(const std::string& text) { return text.empty() ? "0" : text; }

std::int64_t expiry_of(const FormFields& fields) {
  try {
    return fields.integer("expires");
  } catch (const FormInvalid&) {
    throw FormInvalid("expired not an integer");  // Swift's word for it
  }
}

}  // namespace

void FormFields::set(std::string_view name, std::string value) {
  values_[lower(name)] = std::move(value);
}

bool FormFields::has(std::string_view name) const { return values_.find(name) != values_.end(); }

const std::string& FormFields::get(std::string_view name) const {
  static const std::string kNone;
  const auto at = values_.find(name);
  return at == values_.end() ? kNone : at->second;
}

std::int64_t FormFields::integer(std::string_view name, std::string_view hint) const {
  const std::string& text = get(name);
  if (text.empty()) return 0;
  const auto value = parse_int(text);
  if (!value) throw FormInvalid(std::string(name).append(" not an integer").append(hint));
  return *value;
}

std::string check_form(const FormFields& fields, std::string_view path,
                       const std::vector<ScopedKey>& keys, const AllowedDigests& digests,
                       double now) {
  if (keys.empty()) throw FormUnauthorized("invalid signature");
  if (static_cast<double>(expiry_of(fields)) < now) throw FormUnauthorized("form expired");
  const auto signature = parse_signature(fields.get("signature"));
  const auto kind = signature ? digests.kind(signature->algorithm) : std::nullopt;
  if (!kind) throw FormUnauthorized("invalid signature");
  const std::string text = std::string(path) + "\n" + fields.get("redirect") + "\n" +
                           or_zero(fields.get("max_file_size")) + "\n" +
                           or_zero(fields.get("max_file_count")) + "\n" +
                           or_zero(fields.get("expires"));
  bool good = false;
  for (const ScopedKey& key : keys) {
    if (constant_time_equal(to_hex(hmac(*kind, key.key, text)), signature->hex)) good = true;
  }
  if (!good) throw FormUnauthorized("invalid signature");
  return signature->algorithm;
}

std::size_t PartSource::read(std::span<char> out) {
  const std::size_t count = parts_.read(out);
  if (count > left_) {
    exceeded_ = true;
    throw BodyError(BodyError::Kind::kTooLarge, "max_file_size exceeded");
  }
  left_ -= count;
  return count;
}

}  // namespace apus::formpost
