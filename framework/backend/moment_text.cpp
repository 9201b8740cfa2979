#include "framework/backend/moment_text.h"

#include <array>
#include <ctime>

namespace apus {

std::string moment_text(double seconds) {
  const auto when = static_cast<std::time_t>(seconds);
  std::tm parts{};
  ::localtime_r(&when, &parts);
  std::array<char, 64> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%a %b %e %H:%M:%S %Y", &parts);
  return {text.data(), size};
}

}  // namespace apus
