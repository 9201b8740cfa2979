// Multipart bodies: whatever the bytes and the pieces, the parts are the same, and there is an end.
#include <apus/multipart.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace apus;

namespace {

class Pieces final : public Source {
 public:
  Pieces(std::string_view bytes, std::size_t piece) : bytes_(bytes), piece_(piece) {}
  std::size_t read(std::span<char> out) override {
    const std::size_t count = std::min({out.size(), piece_, bytes_.size()});
    std::copy_n(bytes_.data(), count, out.data());
    bytes_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view bytes_;
  std::size_t piece_;
};

std::string parts_of(std::string_view bytes, std::size_t piece, std::size_t room) {
  Pieces source(bytes, piece);
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
