// Conf files: whatever the bytes, the reader and the resolver end, and say what is wrong.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "framework/conf/paste.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<apus::ConfProblem> problems;
  apus::ConfFile file = apus::parse_conf(text, "/nowhere/fuzz.conf", problems);
  for (const apus::ConfSection& section : file.sections)
    apus::resolve_daemon(file, section.name, problems);
  const apus::PasteConf conf = apus::resolve_paste(std::move(file), problems);
  // A conf with nothing wrong names something to load.
  if (problems.empty() && conf.app.routes.empty() && conf.app.app.plugin.empty()) __builtin_trap();
  return 0;
}
