// Log lines: whatever the text, no secret named in it comes through whole, and nothing grows
// without bound.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "framework/log/line_logger.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (apus::redact(text).size() > 4 * size) std::abort();
  const std::string secret = "SeCrEt-0123456789abcdef";
  if (text.find(secret) != std::string_view::npos) return 0;  // where nothing says what it is
  const std::string line = std::string(text) + "\nX-Auth-Token: " + secret;
  if (apus::redact(line).find(secret) != std::string::npos) std::abort();
  const apus::LogConf conf{.name = "n", .max_line_length = 100};
  const std::string shown = apus::form_line(conf, text, "tx");
  if (shown.size() > 100 || shown.find('\n') != std::string::npos) std::abort();
  return 0;
}
