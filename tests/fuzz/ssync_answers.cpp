// What a receiver says to a sender: hashes, no more of them than were offered, or an error.
#include <apus/source.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

#include "framework/ssync/answers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMost = 3;
  apus::StringSource source(std::string(reinterpret_cast<const char*>(data), size));
  apus::ssync::LineReader lines(&source);
  try {
    apus::ssync::read_wants_start(lines);
    const auto wants = apus::ssync::read_wants(lines, kMost);
    if (wants.size() > kMost) std::abort();
    std::set<std::string> hashes;
    for (const auto& want : wants) {
      if (!apus::ssync::is_hash(want.hash) || !hashes.insert(want.hash).second) std::abort();
    }
    apus::ssync::read_updates_end(lines);
  } catch (const apus::ssync::ExchangeError&) {
  } catch (const apus::BodyError&) {
  }
  return 0;
}
