// swift.conf: whatever the bytes, what is read is usable or a problem says why not.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "framework/conf/swift_conf_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<apus::ConfProblem> problems;
  const apus::ConfFile file =
      apus::parse_conf(text, "/nowhere/swift.conf", problems, apus::ConfDialect::kSwiftConf);
  const apus::SwiftConf conf = apus::swift_conf_from(file, problems);
  if (apus::any_fatal(problems)) return 0;
  if (conf.hash_prefix.empty() && conf.hash_suffix.empty()) __builtin_trap();
  if (conf.policy(0) == nullptr || !conf.default_policy().is_default) __builtin_trap();
  return 0;
}
