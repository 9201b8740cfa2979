// Multipart bodies: whatever the bytes and the pieces, the parts are the same, and there is an end.
#include <apus/multipart.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tests/fuzz/pieces.h"

using namespace apus;

namespace {

std::string parts_of(std::string_view bytes, std::size_t piece, std::size_t room) {
  fuzz::Pieces source(bytes, piece);
  MultipartReader reader(source, "b");
  std::string out;
  try {
    while (reader.next()) {
      out += "\npart ";
      for (const auto& [name, value] : reader.headers()) {
        if (name.empty()) std::abort();
        out += name + "=" + value + ";";
        parse_disposition(value);
      }
      std::string space(room, '\0');
      while (const std::size_t count = reader.read(space)) {
        if (count > room) std::abort();
        out.append(space, 0, count);
      }
    }
  } catch (const MultipartError& error) {
    out += error.what();
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  parse_disposition(bytes);
  const std::string whole = parts_of(bytes, size + 1, 4096);
  if (parts_of(bytes, 1, 3) != whole || parts_of(bytes, 7, 1) != whole) std::abort();
  return 0;
}
