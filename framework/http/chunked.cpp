#include "framework/http/chunked.h"

#include <algorithm>
#include <cstring>

namespace apus::http {
namespace {

constexpr int kMaxDigits = 15;
constexpr std::size_t kMaxExtension = 4096;
constexpr std::size_t kMaxTrailers = 16384;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void ChunkDecoder::took(std::uint64_t count) {
  left_ -= count;
  if (left_ == 0) state_ = State::kDataCr;
}

void ChunkDecoder::eat_size(char c) {
  if (const int value = hex_value(c); value >= 0) {
    left_ = left_ * 16 + static_cast<std::uint64_t>(value);
    if (++digits_ > kMaxDigits) state_ = State::kBroken;
  } else if (digits_ == 0) {
    state_ = State::kBroken;
  } else if (c == '\r') {
    state_ = State::kSizeLf;
  } else if (c == ';' || c == ' ' || c == '\t') {
    state_ = State::kExtension;
    skipped_ = 0;
  } else {
    state_ = State::kBroken;
  }
}

void ChunkDecoder::eat(char c) {
  const auto expect = [&](char wanted, State next) {
    state_ = c == wanted ? next : State::kBroken;
  };
  switch (state_) {
    case State::kSize:
      return eat_size(c);
    case State::kExtension:
      if (c == '\r') {
        state_ = State::kSizeLf;
      } else if (c == '\n' || c == '\0' || ++skipped_ > kMaxExtension) {
        state_ = State::kBroken;
      }
      return;
    case State::kSizeLf:
      expect('\n', left_ == 0 ? State::kTrailer : State::kData);
      digits_ = 0;
      skipped_ = 0;
      return;
    case State::kDataCr:
      return expect('\r', State::kDataLf);
    case State::kDataLf:
      return expect('\n', State::kSize);
    case State::kTrailer:
      if (c == '\r') {
        state_ = State::kEndLf;
        return;
      }
      state_ = State::kTrailerLine;
      [[fallthrough]];
    case State::kTrailerLine:
      if (c == '\r') {
        state_ = State::kTrailerLf;
      } else if (c == '\n' || c == '\0' || ++skipped_ > kMaxTrailers) {
        state_ = State::kBroken;
      }
      return;
    case State::kTrailerLf:
      return expect('\n', State::kTrailer);
    case State::kEndLf:
      return expect('\n', State::kDone);
    case State::kData:
    case State::kDone:
    case State::kBroken:
      return;
  }
}

ChunkDecoder::Step ChunkDecoder::decode(std::string_view in, std::span<char> out) {
  Step step;
  while (step.consumed < in.size() && !done() && !broken()) {
    if (state_ != State::kData) {
      eat(in[step.consumed++]);
      continue;
    }
    const std::size_t room = out.size() - step.produced;
    if (room == 0) break;
    const std::size_t count = static_cast<std::size_t>(
        std::min<std::uint64_t>(left_, std::min(room, in.size() - step.consumed)));
    std::memcpy(out.data() + step.produced, in.data() + step.consumed, count);
    step.consumed += count;
    step.produced += count;
    took(count);
  }
  return step;
}

}  // namespace apus::http
