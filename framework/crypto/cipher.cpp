#include <apus/cipher.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>

namespace apus {
namespace {

using Block = std::array<unsigned char, CtrCipher::kIvSize>;

struct CipherFree {
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
};
struct CipherContextFree {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

// Fetched once: EVP_aes_256_ctr() looks its provider up again with every use.
const EVP_CIPHER* aes_256_ctr() {
  static const std::unique_ptr<EVP_CIPHER, CipherFree> cipher(
      EVP_CIPHER_fetch(nullptr, "AES-256-CTR", nullptr));
  if (cipher == nullptr) throw std::runtime_error("AES-256-CTR is not available in this OpenSSL");
  return cipher.get();
}

// The counter `blocks` blocks further on.
Block advanced(std::string_view iv, std::uint64_t blocks) {
  Block out;
  std::copy(iv.begin(), iv.end(), out.begin());
  unsigned carry = 0;
  for (std::size_t i = out.size(); i-- > 0 && (blocks != 0 || carry != 0); blocks >>= 8U) {
    carry += out.at(i) + static_cast<unsigned>(blocks & 0xffU);
    out.at(i) = static_cast<unsigned char>(carry);
    carry >>= 8U;
  }
  return out;
}

}  // namespace

struct CtrCipher::State {
  std::unique_ptr<EVP_CIPHER_CTX, CipherContextFree> context{EVP_CIPHER_CTX_new()};
};

CtrCipher::CtrCipher(std::string_view key, std::string_view iv, std::uint64_t offset)
    : state_(std::make_unique<State>()) {
  if (key.size() != kKeySize) throw std::invalid_argument("Key must be length 32 bytes");
  if (iv.size() != kIvSize) throw std::invalid_argument("IV must be length 16 bytes");
  const Block counter = advanced(iv, offset / kIvSize);
  if (EVP_EncryptInit_ex2(state_->context.get(), aes_256_ctr(),
                          reinterpret_cast<const unsigned char*>(key.data()), counter.data(),
                          nullptr) != 1) {
    throw std::runtime_error("AES-256-CTR is not available in this OpenSSL");
  }
  std::array<char, kIvSize> before{};
  apply(std::span(before).first(offset % kIvSize));
}
CtrCipher::CtrCipher(CtrCipher&&) noexcept = default;
CtrCipher& CtrCipher::operator=(CtrCipher&&) noexcept = default;
CtrCipher::~CtrCipher() = default;

void CtrCipher::apply(std::span<char> bytes) {
  while (!bytes.empty()) {
    const auto piece = bytes.first(
        std::min(bytes.size(), static_cast<std::size_t>(std::numeric_limits<int>::max() / 2)));
    auto* at = reinterpret_cast<unsigned char*>(piece.data());
    int done = 0;
    if (EVP_EncryptUpdate(state_->context.get(), at, &done, at, static_cast<int>(piece.size())) !=
            1 ||
        static_cast<std::size_t>(done) != piece.size()) {
      throw std::runtime_error("AES-256-CTR failed");
    }
    bytes = bytes.subspan(piece.size());
  }
}

std::string CtrCipher::apply(std::string_view bytes) {
  std::string out(bytes);
  apply(std::span(out));
  return out;
}

}  // namespace apus
