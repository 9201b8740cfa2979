#include <apus/source.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace apus {

BodyError::BodyError(Kind kind, const std::string& what) : std::runtime_error(what), kind_(kind) {}
BodyError::~BodyError() = default;

int BodyError::status() const {
  switch (kind_) {
    case Kind::kDisconnect:
      return 499;
    case Kind::kTimeout:
      return 408;
    case Kind::kTooLarge:
      return 413;
    case Kind::kMalformed:
      return 400;
    case Kind::kDigest:
      return 422;
    case Kind::kIo:
      break;
  }
  return 500;
}

Source::~Source() = default;

std::optional<FileRegion> Source::file_region() { return std::nullopt; }
void Source::sent() {}
void Source::continue_with(const Headers& /*fields*/) {}
bool Source::next_body() { return false; }

StringSource::StringSource(std::string bytes) : bytes_(std::move(bytes)) {}
StringSource::~StringSource() = default;

std::size_t StringSource::read(std::span<char> out) {
  const std::size_t count = std::min(out.size(), bytes_.size() - at_);
  if (count == 0) return 0;
  std::memcpy(out.data(), bytes_.data() + at_, count);
  at_ += count;
  return count;
}

std::string StringSource::release() {
  bytes_.erase(0, std::exchange(at_, 0));
  return std::exchange(bytes_, {});
}

std::string read_all(Source* source, std::size_t limit) {
  const auto too_large = [limit] {
    return BodyError(BodyError::Kind::kTooLarge, "body is larger than " + std::to_string(limit));
  };
  std::string all;
  if (source == nullptr) return all;
  if (auto* held = dynamic_cast<StringSource*>(source)) {
    all = held->release();
    if (all.size() > limit) throw too_large();
    return all;
  }
  std::array<char, 16384> piece;
  while (const std::size_t count = source->read(piece)) {
    if (count > limit - all.size()) throw too_large();
    all.append(piece.data(), count);
  }
  return all;
}

bool drain(Source* source, std::uint64_t limit) {
  if (source == nullptr) return true;
  std::array<char, 16384> piece;
  std::uint64_t dropped = 0;
  while (const std::size_t count = source->read(piece)) {
    dropped += count;
    if (dropped > limit) return false;
  }
  return true;
}

}  // namespace apus
