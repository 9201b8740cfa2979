#include <apus/digest.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdexcept>

namespace apus {
namespace {

struct MethodFree {
  void operator()(EVP_MD* method) const { EVP_MD_free(method); }
};
using Method = std::unique_ptr<EVP_MD, MethodFree>;

// Fetched once: EVP_md5() and its like look their provider up again with every use.
const EVP_MD* algorithm(DigestKind kind) {
  static const std::array<Method, 4> methods = {Method(EVP_MD_fetch(nullptr, "MD5", nullptr)),
                                                Method(EVP_MD_fetch(nullptr, "SHA1", nullptr)),
                                                Method(EVP_MD_fetch(nullptr, "SHA256", nullptr)),
                                                Method(EVP_MD_fetch(nullptr, "SHA512", nullptr))};
  const auto index = [&]() -> std::size_t {
    switch (kind) {
      case DigestKind::kMd5:
        return 0;
      case DigestKind::kSha1:
        return 1;
      case DigestKind::kSha256:
        return 2;
      case DigestKind::kSha512:
        return 3;
    }
    throw std::invalid_argument("unknown digest");
  }();
  if (methods.at(index) == nullptr)
    throw std::runtime_error("digest is not available in this OpenSSL");
  return methods.at(index).get();
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

struct DigestContextFree {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

struct Digest::State {
  std::unique_ptr<EVP_MD_CTX, DigestContextFree> context{EVP_MD_CTX_new()};
};

Digest::Digest(DigestKind kind) : state_(std::make_unique<State>()) {
  if (EVP_DigestInit_ex2(state_->context.get(), algorithm(kind), nullptr) != 1) {
    throw std::runtime_error("digest is not available in this OpenSSL");
  }
}
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;
Digest::~Digest() = default;

void Digest::update(std::string_view bytes) {
  EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size());
}

std::string Digest::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  unsigned size = 0;
  EVP_DigestFinal_ex(state_->context.get(), out.data(), &size);
  return {reinterpret_cast<const char*>(out.data()), size};
}

std::string Digest::finish_hex() { return to_hex(finish()); }

std::string md5_hex(std::string_view bytes) {
  thread_local const std::unique_ptr<EVP_MD_CTX, DigestContextFree> context{EVP_MD_CTX_new()};
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  unsigned size = 0;
  if (EVP_DigestInit_ex2(context.get(), algorithm(DigestKind::kMd5), nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), out.data(), &size) != 1) {
    throw std::runtime_error("digest is not available in this OpenSSL");
  }
  return to_hex({reinterpret_cast<const char*>(out.data()), size});
}

std::string hmac(DigestKind kind, std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  unsigned size = 0;
  HMAC(algorithm(kind), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(),
       out.data(), &size);
  std::string mac(reinterpret_cast<const char*>(out.data()), size);
  OPENSSL_cleanse(out.data(), out.size());  // a MAC may be a key
  return mac;
}

std::string to_hex(std::string_view bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out(bytes.size() * 2, '\0');
  char* at = out.data();
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    *at++ = kDigits[byte >> 4U];
    *at++ = kDigits[byte & 15U];
  }
  return out;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  const auto value = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = value(text[i]);
    const int low = value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

std::string base64_encode(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes_of(bytes),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0 || text.size() > (1U << 30U)) return std::nullopt;
  std::string standard(text);
  for (char& c : standard) {
    if (c == '-') c = '+';
    if (c == '_') c = '/';
  }
  const std::size_t end = standard.find_last_not_of('=');
  const std::size_t padding = standard.size() - (end == std::string::npos ? 0 : end + 1);
  if (padding > 2 || standard.find_first_of("= \t\r\n") < standard.size() - padding) {
    return std::nullopt;
  }
  std::string out(standard.size() / 4 * 3 + 1, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes_of(standard),
                                   static_cast<int>(standard.size()));
  if (size < 0) return std::nullopt;
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace apus
