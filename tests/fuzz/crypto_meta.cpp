// What is stored beside encrypted bytes. What was read is written and read again.
#include <apus/text.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

// The filter is a shared object of its own; its parsers are compiled in here.
#include "middleware/encryption/crypto_meta.cpp"
#include "middleware/encryption/opened_body.cpp"
#include "middleware/encryption/sealed_value.cpp"

using namespace apus;
using namespace apus::encryption;

namespace {

class Bytes final : public Source {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  std::size_t read(std::span<char> out) override {
    const std::size_t count = bytes_.substr(0, out.size()).copy(out.data(), out.size());
    bytes_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view bytes_;
};

void read_meta_and_back(std::string_view text) {
  try {
    const CryptoMeta meta = parse_crypto_meta(text);
    const CryptoMeta again = parse_crypto_meta(meta.dump());
    // What is no UTF-8 is written as such, with U+FFFD in its place.
    const bool same = is_utf8(unquote_plus(text));
    if (same && (again.cipher != meta.cipher || again.iv != meta.iv)) std::abort();
    if (same && again.key_id.dump(false, true) != meta.key_id.dump(false, true)) std::abort();
    meta.check();
    open_value("AAAA", std::string(32, 'k'), meta);
  } catch (const MetaError&) {
  }
}

void read_value(std::string_view text) {
  try {
    const MetaValue value = split_meta_value(text);
    if (value.meta) open_value(value.value, std::string(32, 'k'), *value.meta);
  } catch (const MetaError&) {
  }
}

// Decrypted or passed, not one byte more or less.
void read_parts(std::string_view text) {
  const auto parts = open_byteranges(std::make_unique<Bytes>(text), Secret(std::string(32, 'k')),
                                     std::string(16, 'i'));
  try {
    if (read_all(parts.get(), text.size()).size() != text.size()) std::abort();
  } catch (const BodyError& error) {
    if (error.kind() != BodyError::Kind::kIo) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_meta_and_back(text);
  read_meta_and_back(quote_plus(text));
  read_value(text);
  read_parts(text);
  return 0;
}
