// Chunked framing: the same body whatever way the bytes are cut, and progress with every call.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "framework/http/chunked.h"

using apus::http::ChunkDecoder;

namespace {

std::string decode(std::string_view bytes, std::size_t piece, std::size_t room, int& outcome) {
  ChunkDecoder decoder;
  std::array<char, 256> out;
  std::string body;
  while (!bytes.empty() && !decoder.done() && !decoder.broken()) {
    const auto step = decoder.decode(bytes.substr(0, piece), std::span(out).first(room));
    if (step.consumed == 0 || step.produced > room) std::abort();
    body.append(out.data(), step.produced);
    bytes.remove_prefix(step.consumed);
  }
  outcome = decoder.broken() ? 0 : decoder.done() ? 1 : 2;
  return body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  int first = 0;
  int second = 0;
  if (decode(bytes, 1, 1, first) != decode(bytes, 97, 256, second) || first != second) std::abort();
  return 0;
}
