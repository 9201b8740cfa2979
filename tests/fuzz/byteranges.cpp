// Answers of several parts as object servers send them: the same parts whatever way the bytes come.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

// The proxy is a shared object of its own; its reader is compiled in here.
#include "servers/proxy/multipart_parts.cpp"
#include "tests/fuzz/pieces.h"

using namespace apus;

namespace {

std::string parts_of(std::string_view bytes, std::size_t piece) {
  MultipartParts parts(std::make_unique<fuzz::Pieces>(bytes, piece), "b");
  std::string out;
  try {
    while (const auto part = parts.next()) {
      if (part->at.range.first > part->at.range.last) std::abort();
      if (part->at.range.last >= part->at.length) std::abort();
      out += "\npart " + part->content_type + " ";
      std::string space(100, '\0');
      while (const std::size_t count = parts.read(space)) out.append(space, 0, count);
    }
    out += "\nend";
  } catch (const BodyError& error) {
    out += error.what();
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)parse_content_range(bytes);
  const auto boundary = multipart_boundary(bytes);
  if (boundary && boundary->empty()) std::abort();
  if (parts_of(bytes, 1) != parts_of(bytes, size + 1)) std::abort();
  return 0;
}
