#include "middleware/recon/system.h"

#include <apus/text.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <string>
#include <vector>

namespace apus::recon {
namespace {

double fraction(const std::string& text) {
  double out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

// Words of the first line that starts with `start`; empty when there is none.
std::vector<std::string> words_of(const char* file, std::string_view start) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(start)) return split_list(line, ' ');
  }
  return {};
}

std::int64_t number_at(const std::vector<std::string>& words, std::size_t at) {
  return at < words.size() ? parse_digits(words[at]).value_or(0) : 0;
}

}  // namespace

Json load() {
  std::vector<std::string> words = words_of("/proc/loadavg", "");
  words.resize(5);
  Json out{Json::Object{}};
  out.set("1m", fraction(words[0]));
  out.set("5m", fraction(words[1]));
  out.set("15m", fraction(words[2]));
  out.set("tasks", words[3]);
  out.set("processes", number_at(words, 4));
  return out;
}

Json memory() {
  Json::Object out;
  std::ifstream in("/proc/meminfo");
  for (std::string line; std::getline(in, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    out.emplace_back(line.substr(0, colon), std::string(trim(line.substr(colon + 1))));
  }
  return Json(std::move(out));
}

Json mounts() {
  Json::Array out;
  std::ifstream in("/proc/mounts");
  for (std::string line; std::getline(in, line);) {
    const std::vector<std::string> words = split_list(line, ' ');
    if (words.size() < 2) continue;
    Json one;
    one.set("device", words[0]);
    one.set("path", words[1]);
    out.push_back(std::move(one));
  }
  return Json(std::move(out));
}

Json sockets() {
  Json out{Json::Object{}};
  if (const auto words = words_of("/proc/net/sockstat", "TCP: inuse"); !words.empty()) {
    out.set("tcp_in_use", number_at(words, 2));
    out.set("orphan", number_at(words, 4));
    out.set("time_wait", number_at(words, 6));
    out.set("tcp_mem_allocated_bytes", number_at(words, 10) * ::sysconf(_SC_PAGESIZE));
  }
  if (const auto words = words_of("/proc/net/sockstat6", "TCP6: inuse"); !words.empty())
    out.set("tcp6_in_use", number_at(words, 2));
  return out;
}

}  // namespace apus::recon
