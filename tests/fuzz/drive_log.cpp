// A kernel's log of any bytes: it is read to its end, and each device found stands in it.
#include "plugins/drive-audit/drive_log.h"

#include <apus/testing/host.h>
#include <apus/testing/temp_tree.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static apus::testing::TestHost host;
  static apus::testing::TempTree tree;
  static const std::array<apus::Pattern, 2> kPatterns = {
      apus::Pattern(R"(\berror\b.*\b(sd[a-z]{1,2}\d?)\b)"),
      apus::Pattern(R"(\b(sd[a-z]{1,2}\d?)\b.*\berror\b)")};
  constexpr std::time_t kNow = 1795926789;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)apus::log_time(text, 2026);
  const std::array<std::string, 1> files = {tree.write("kern.log", text).string()};
  for (const auto& [device, count] :
       apus::count_drive_errors(host.disk(), files, kPatterns, 0, kNow)) {
    if (count < 1 || text.find(device) == std::string_view::npos) std::abort();
  }
  return 0;
}
