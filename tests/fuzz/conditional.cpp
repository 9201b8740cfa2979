// Ranges and preconditions together: the body of the answer is as long as its head says.
#include <apus/conditional.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

using namespace apus;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string kEntity(100, 'x');
  static constexpr std::array<const char*, 5> kNames = {
      "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "Range"};
  // One field a line: its first byte chooses the name.
  std::string_view text(reinterpret_cast<const char*>(data), size);
  Request request("GET", "/v1/a/c/o");
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.empty()) continue;
    request.headers.set(kNames[static_cast<unsigned char>(line[0]) % kNames.size()],
                        std::string(line.substr(1)));
  }
  (void)failed_precondition(request.headers, "", std::nullopt, false);
  Response response(200);
  response.headers.set("ETag", "\"e\"");
  response.headers.set("Content-Type", "text/plain");
  const auto open = [](ByteRange range) -> std::unique_ptr<Source> {
    if (range.first > range.last || range.last >= kEntity.size()) std::abort();
    return std::make_unique<StringSource>(kEntity.substr(range.first, range.length()));
  };
  answer_conditionally(request, response, kEntity.size(), "e", open, "boundary");
  const std::string length(response.headers.get("Content-Length"));
  const std::string body = read_all(response.body.get(), 1U << 20U);
  if (!length.empty() && response.body != nullptr && length != std::to_string(body.size()))
    std::abort();
  return 0;
}
