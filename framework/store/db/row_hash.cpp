#include "framework/store/db/row_hash.h"

#include <apus/digest.h>

namespace apus {

std::optional<RowHash> RowHash::parse(std::string_view hex) {
  RowHash out;
  const auto bytes = from_hex(hex);
  if (!bytes || bytes->size() != out.bytes_.size()) return std::nullopt;
  out.mix_bytes(*bytes);
  return out;
}

void RowHash::mix(std::string_view name, std::string_view timestamp) {
  Digest digest(DigestKind::kMd5);
  digest.update(name);
  digest.update("-");
  digest.update(timestamp);
  mix_bytes(digest.finish());
}

void RowHash::mix(const RowHash& rows) { mix_bytes({rows.bytes_.data(), rows.bytes_.size()}); }

std::string RowHash::hex() const { return to_hex({bytes_.data(), bytes_.size()}); }

void RowHash::mix_bytes(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes_.size(); ++i)
    bytes_[i] = static_cast<char>(bytes_[i] ^ bytes[i]);
}

}  // namespace apus
