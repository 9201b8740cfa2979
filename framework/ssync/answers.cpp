#include "framework/ssync/answers.h"

#include <apus/text.h>

#include <unordered_map>

namespace apus::ssync {
namespace {

constexpr std::size_t kShown = 1024;
// Old receivers say blank lines to fill the pipe; nobody needs more.
constexpr int kMaxBlank = 1000;

// Trimmed, and not blank.
std::string next_line(LineReader& lines) {
  for (int blank = 0; blank <= kMaxBlank; ++blank) {
    const auto line = lines.line();
    if (!line) throw ExchangeError("Early disconnect");
    const std::string_view text = trim(*line);
    if (!text.empty()) return std::string(text);
  }
  throw ExchangeError("Unexpected response: nothing but blank lines");
}

[[noreturn]] void unexpected(const std::string& line) {
  throw ExchangeError("Unexpected response: " + python_repr(line.substr(0, kShown)));
}

void expect(LineReader& lines, std::string_view wanted) {
  const std::string line = next_line(lines);
  if (line != wanted) unexpected(line);
}

}  // namespace

ExchangeError::~ExchangeError() = default;

void read_wants_start(LineReader& lines) { expect(lines, kMissingStart); }

std::vector<Want> read_wants(LineReader& lines, std::size_t most) {
  std::vector<Want> out;
  std::unordered_map<std::string, std::size_t> places;
  for (std::string line = next_line(lines); line != kMissingEnd; line = next_line(lines)) {
    const auto want = decode_want(line);
    if (!want) unexpected(line);
    const auto [at, fresh] = places.emplace(want->hash, out.size());
    if (!fresh) {
      out[at->second] = *want;
      continue;
    }
    if (out.size() >= most) throw ExchangeError("Unexpected response: more wants than offers");
    out.push_back(*want);
  }
  return out;
}

void read_updates_end(LineReader& lines) {
  expect(lines, kUpdatesStart);
  expect(lines, kUpdatesEnd);
}

}  // namespace apus::ssync
