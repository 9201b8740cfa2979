// Archives: whatever the bytes, entries come to an end, and no entry gives more
// than it says.
#include <apus/archive.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

using namespace apus;

namespace {

void read_through(const std::string& bytes, Compression compression) {
  StringSource body(bytes);
  ArchiveReader archive(body, compression);
  ArchiveEntry entry;
  try {
    // Compressed zeros can stand for very much: a bound for the fuzzer's time.
    for (int entries = 0; entries < 1000 && archive.next(entry); ++entries) {
      std::array<char, 4096> piece;
      std::uint64_t total = 0;
      while (const std::size_t count = archive.read(piece)) {
        total += count;
        if (total > entry.size) std::abort();
        if (total > (1U << 22U)) break;
      }
    }
  } catch (const ArchiveError& error) {
    if (std::string(error.what()).empty()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  read_through(bytes, Compression::kNone);
  read_through(bytes, Compression::kGzip);
  read_through(bytes, Compression::kBzip2);
  return 0;
}
