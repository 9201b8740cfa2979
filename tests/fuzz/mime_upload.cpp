// Uploads of several parts: object, footers and the word to commit, whatever the bytes.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

// The server is a shared object of its own; its reader is compiled in here.
#include "servers/object/mime_reader.cpp"
#include "servers/object/mime_upload.cpp"

using namespace apus;

namespace {

std::string upload(std::string_view bytes, std::size_t room) {
  Request request("PUT", "/d1/7/a/c/o");
  request.internal.set("X-Backend-Obj-Metadata-Footer", "yes");
  request.internal.set("X-Backend-Obj-Multiphase-Commit", "yes");
  request.internal.set("X-Backend-Obj-Multipart-Mime-Boundary", "b");
  request.body = std::make_unique<StringSource>(std::string(bytes));
  std::string out;
  try {
    auto parts = MimeUpload::of(request);
    if (!parts) std::abort();
    std::string space(room, '\0');
    while (const std::size_t count = parts->object().read(space)) out.append(space, 0, count);
    for (const auto& [name, value] : parts->footers()) out += "\n" + name + ": " + value;
    parts->finish();
    out += "\nend";
  } catch (const MimeUpload::Refused& refused) {
    out += "\n" + refused.text;
  } catch (const BodyError& error) {
    out += "\n" + std::string(error.what());
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (upload(bytes, 1) != upload(bytes, 4096)) std::abort();
  return 0;
}
