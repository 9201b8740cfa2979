#include "middleware/encryption/opened_body.h"

#include <apus/cipher.h>
#include <apus/headers.h>
#include <apus/text.h>

#include <algorithm>
#include <optional>

namespace apus::encryption {
namespace {

class OpeningSource final : public Source {
 public:
  OpeningSource(std::unique_ptr<Source> sealed, CtrCipher cipher)
      : sealed_(std::move(sealed)), cipher_(std::move(cipher)) {}
  std::size_t read(std::span<char> out) override {
    const std::size_t count = sealed_->read(out);
    cipher_.apply(out.first(count));
    return count;
  }

 private:
  std::unique_ptr<Source> sealed_;
  CtrCipher cipher_;
};

// Heads pass as they are, up to the empty line that ends each; then as many bytes as the head's
// Content-Range says are decrypted. What the parts hold is never searched for a boundary.
class OpeningParts final : public Source {
 public:
  OpeningParts(std::unique_ptr<Source> sealed, const Secret& key, std::string iv)
      : sealed_(std::move(sealed)), key_(key), iv_(std::move(iv)) {}

  std::size_t read(std::span<char> out) override {
    if (left_ != 0)
      out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left_)));
    const std::size_t count = sealed_->read(out);
    std::span<char> rest = out.first(count);
    while (!rest.empty()) rest = rest.subspan(left_ != 0 ? open(rest) : pass(rest));
    return count;
  }

 private:
  static constexpr std::size_t kLargestHead = 64U << 10U;

  std::size_t open(std::span<char> bytes) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left_));
    cipher_->apply(bytes.first(count));
    left_ -= count;
    return count;
  }

  // Looks for the end of a head, which may come in pieces.
  std::size_t pass(std::span<char> bytes) {
    constexpr std::string_view kEnd = "\r\n\r\n";
    const std::size_t known = head_.size();
    head_.append(bytes.data(), bytes.size());
    const std::size_t end = head_.find(kEnd, known < kEnd.size() ? 0 : known - kEnd.size() + 1);
    if (end == std::string::npos) {
      if (head_.size() > kLargestHead) throw broken("a part's head is too long");
      return bytes.size();
    }
    head_.resize(end + kEnd.size());
    const std::size_t count = head_.size() - known;
    begin_part();
    head_.clear();
    return count;
  }

  void begin_part() {
    std::string_view rest = head_;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find("\r\n"), rest.size());
      const std::string_view line = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 2, rest.size()));
      const std::size_t colon = line.find(':');
      if (colon == std::string_view::npos || !same_name(line.substr(0, colon), "Content-Range"))
        continue;
      const auto range = parse_content_range(line.substr(colon + 1));
      if (!range) break;
      cipher_.emplace(key_.bytes(), iv_, range->first);
      left_ = range->last - range->first + 1;
      return;
    }
    throw broken("a part does not say its range");
  }

  static BodyError broken(const char* why) {
    return {BodyError::Kind::kIo, std::string("multipart answer: ") + why};
  }

  std::unique_ptr<Source> sealed_;
  Secret key_;
  std::string iv_;
  std::string head_;        // what came of the present head
  std::uint64_t left_ = 0;  // bytes of the present part still to come
  std::optional<CtrCipher> cipher_;
};

}  // namespace

std::unique_ptr<Source> open_body(std::unique_ptr<Source> sealed, const Secret& key,
                                  const std::string& iv, std::uint64_t offset) {
  return std::make_unique<OpeningSource>(std::move(sealed), CtrCipher(key.bytes(), iv, offset));
}

std::unique_ptr<Source> open_byteranges(std::unique_ptr<Source> sealed, const Secret& key,
                                        const std::string& iv) {
  return std::make_unique<OpeningParts>(std::move(sealed), key, iv);
}

std::optional<ContentRange> parse_content_range(std::string_view text) {
  constexpr std::string_view kUnit = "bytes ";
  text = trim(text);
  if (!text.starts_with(kUnit)) return std::nullopt;
  text.remove_prefix(kUnit.size());
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || slash < dash)
    return std::nullopt;
  const auto first = parse_digits(text.substr(0, dash));
  const auto last = parse_digits(text.substr(dash + 1, slash - dash - 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return ContentRange{static_cast<std::uint64_t>(*first), static_cast<std::uint64_t>(*last)};
}

}  // namespace apus::encryption
