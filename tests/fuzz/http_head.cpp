// Heads of requests and responses: whatever the bytes, no crash, and the pieces lie within the
// input.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "framework/http/head.h"

using namespace apus;
using namespace apus::http;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  HeadScanner whole;
  const auto state = whole.feed(bytes, {});
  HeadScanner pieces;
  auto last = HeadScanner::State::kMore;
  for (std::size_t end = 0; end <= size && last == HeadScanner::State::kMore; end += 7) {
    last = pieces.feed(bytes.substr(0, end), {});
  }
  if (last == HeadScanner::State::kMore) last = pieces.feed(bytes, {});
  if (last != state) std::abort();
  if (state != HeadScanner::State::kComplete) return 0;
  if (pieces.size() != whole.size()) std::abort();

  const std::string_view head = bytes.substr(0, whole.size());
  RequestHead request;
  if (parse_request_head(head, request) == 0) {
    if (request.chunked && request.content_length) std::abort();
    Request filled;
    fill_request(request, (size & 1U) != 0, filled);
    if (filled.path.empty()) std::abort();
    for (const auto& [name, value] : filled.headers) {
      if (name.empty() || !is_sendable(value)) std::abort();
    }
  }
  ResponseHead response;
  if (parse_response_head(head, response) && (response.status < 100 || response.status > 999)) {
    std::abort();
  }
  return 0;
}
