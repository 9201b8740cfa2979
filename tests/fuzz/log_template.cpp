// Templates of access logs: a template that is refused, or lines.
#include <apus/log_template.h>

#include <array>
#include <cstdint>
#include <stdexcept>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using Kind = apus::LogField::Kind;
  static constexpr std::array kFields = {apus::LogField{"a"}, apus::LogField{"b", Kind::kPrivate},
                                         apus::LogField{"t", Kind::kTime, true}};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const apus::LogTemplate lines(text, kFields, "md5", "salt");
    const std::array<apus::LogValue, 3> values = {
        {{text, 0}, {text.substr(0, size / 2), 0}, {"", static_cast<double>(size) * 1e6}}};
    (void)lines.finish(lines.begin(values), values);
  } catch (const std::runtime_error&) {
    return 0;
  }
  return 0;
}
