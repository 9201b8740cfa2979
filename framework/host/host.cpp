// Out-of-line parts of the interfaces in <apus/host.h> and its neighbours: one home for each
// vtable.
#include <apus/digest.h>
#include <apus/host.h>
#include <apus/ring.h>
#include <apus/transport.h>

#include <array>
#include <stdexcept>

namespace apus {

Logger::~Logger() = default;
Metrics::~Metrics() = default;
Cache::~Cache() = default;

Clock::~Clock() = default;
Entropy::~Entropy() = default;
InfoRegistry::~InfoRegistry() = default;
Host::~Host() = default;
HandoffWalk::~HandoffWalk() = default;
Ring::~Ring() = default;
RingDirectory::~RingDirectory() = default;
Upload::~Upload() = default;
Volley::~Volley() = default;
Transport::~Transport() = default;

TransportError::TransportError(Kind kind, const std::string& what)
    : std::runtime_error(what), kind_(kind) {}
TransportError::~TransportError() = default;

void Logger::debug(std::string_view text, std::string_view trans_id) {
  if (enabled(LogLevel::kDebug)) write(LogLevel::kDebug, text, trans_id);
}
void Logger::info(std::string_view text, std::string_view trans_id) {
  if (enabled(LogLevel::kInfo)) write(LogLevel::kInfo, text, trans_id);
}
void Logger::notice(std::string_view text, std::string_view trans_id) {
  if (enabled(LogLevel::kNotice)) write(LogLevel::kNotice, text, trans_id);
}
void Logger::warning(std::string_view text, std::string_view trans_id) {
  if (enabled(LogLevel::kWarning)) write(LogLevel::kWarning, text, trans_id);
}
void Logger::error(std::string_view text, std::string_view trans_id) {
  if (enabled(LogLevel::kError)) write(LogLevel::kError, text, trans_id);
}

std::uint64_t Entropy::below(std::uint64_t end) {
  if (end == 0) throw std::invalid_argument("Entropy::below needs a positive end");
  const std::uint64_t bound = UINT64_MAX - UINT64_MAX % end;
  std::uint64_t value = 0;
  do {
    fill(std::span(reinterpret_cast<char*>(&value), sizeof value));
  } while (value >= bound);
  return value % end;
}

std::string Entropy::hex(std::size_t bytes) {
  std::string raw(bytes, '\0');
  fill(raw);
  return to_hex(raw);
}

std::string Entropy::uuid4() {
  std::string raw(16, '\0');
  fill(raw);
  raw[6] = static_cast<char>((static_cast<unsigned char>(raw[6]) & 0x0FU) | 0x40U);
  raw[8] = static_cast<char>((static_cast<unsigned char>(raw[8]) & 0x3FU) | 0x80U);
  std::string text = to_hex(raw);
  for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, "-");
  return text;
}

}  // namespace apus
