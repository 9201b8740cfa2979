// Takes chunked framing off a body, byte-exactly and strictly.
#pragma once

#include <apus/abi.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace apus::http {

/// A machine over bytes as they come in. Sizes are at most 15 hex digits; extensions and trailers
/// are skipped, 4096 bytes of each line and 16384 of all trailers; line ends are CRLF and nothing
/// else.
class APUS_API ChunkDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;  ///< bytes of the input that are used up
    std::size_t produced = 0;  ///< bytes of the body written to the output
  };

  /// Goes on until input or output is used up, the body ends, or the framing breaks. Makes progress
  /// whenever there is input, room in `out`, and neither `done` nor `broken`.
  Step decode(std::string_view in, std::span<char> out);
  /// Bytes of chunk data that follow right now: they may be read straight into a buffer.
  [[nodiscard]] std::uint64_t ready() const { return state_ == State::kData ? left_ : 0; }
  /// Tells that `count` <= ready() bytes of data were taken past the decoder.
  void took(std::uint64_t count);
  [[nodiscard]] bool done() const { return state_ == State::kDone; }
  [[nodiscard]] bool broken() const { return state_ == State::kBroken; }

 private:
  enum class State : std::uint8_t {
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailer,
    kTrailerLine,
    kTrailerLf,
    kEndLf,
    kDone,
    kBroken
  };
  void eat(char c);
  void eat_size(char c);

  State state_ = State::kSize;
  int digits_ = 0;
  std::uint64_t left_ = 0;
  std::size_t skipped_ = 0;
};

}  // namespace apus::http
