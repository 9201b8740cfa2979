#include "servers/apus/operators/recon_stats.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <iostream>

#include "framework/host/real_time.h"
#include "servers/apus/formatted.h"

namespace apus {
namespace {

// As "%d" shows a number of any kind.
std::string whole(double value) { return formatted("%.0f", std::trunc(value) + 0.0); }

struct Elapsed {
  double count;
  const char* unit;
};

Elapsed elapsed_since(double then) {
  double count = RealClock().now() - then;
  const char* unit = "seconds";
  struct Step {
    double size;
    const char* unit;
  };
  for (const Step& step : {Step{60, "minutes"}, Step{60, "hours"}, Step{24, "days"}}) {
    if (count < step.size) break;
    count /= step.size;
    unit = step.unit;
  }
  return {count, unit};
}

void print_completion(const char* which, double when, const std::string& host) {
  const Elapsed ago = elapsed_since(when);
  std::cout << which << " completion was " << recon_time(when) << " (" << whole(ago.count) << " "
            << ago.unit << " ago) by " << host << ".\n";
}

}  // namespace

std::optional<double> number_of(const Json& content, std::string_view name) {
  const Json* member = content.find(name);
  return member == nullptr ? std::nullopt : member->number();
}

double nested_sum(const Json& content, std::string_view name) {
  double out = 0;
  if (content.object() == nullptr) return out;
  for (const auto& [key, member] : *content.object()) {
    out += nested_sum(member, name);
    if (key == name) out += member.number().value_or(0);
  }
  return out;
}

bool print_stats(const std::string& name, const ReconNumbers& numbers) {
  std::vector<double> known;
  for (const auto& number : numbers) {
    if (number) known.push_back(*number);
  }
  if (known.empty()) return false;
  const auto [low, high] = std::minmax_element(known.begin(), known.end());
  double total = 0;
  for (const double number : known) total += number;
  const std::size_t none = numbers.size() - known.size();
  const double failed = static_cast<double>(none) * 100.0 / static_cast<double>(numbers.size());
  std::cout << "[" << name << "] low: " << whole(*low) << ", high: " << whole(*high)
            << ", avg: " << formatted("%.1f", total / static_cast<double>(known.size()))
            << ", total: " << whole(total) << ", Failed: " << formatted("%.1f", failed)
            << "%, no_result: " << none << ", reported: " << known.size() << "\n";
  return true;
}

void print_stats_or_none(const std::string& name, const ReconNumbers& numbers,
                         const std::string& otherwise) {
  if (print_stats(name, numbers)) return;
  std::cout << "[" << (otherwise.empty() ? name : otherwise)
            << "] - No hosts returned valid data.\n";
}

std::string recon_time(double seconds) {
  const double when = seconds == 0 ? RealClock().now() : seconds;
  // What a host tells may be any number: gmtime takes years of four digits here.
  const auto whole_seconds = static_cast<std::time_t>(std::clamp(when, 0.0, 253402300799.0));
  std::tm parts{};
  ::gmtime_r(&whole_seconds, &parts);
  std::array<char, 32> out{};
  std::strftime(out.data(), out.size(), "%Y-%m-%d %H:%M:%S", &parts);
  return out.data();
}

void print_begin(const std::string& text) {
  std::cout << "[" << recon_time() << "] " << text << "\n";
}

void print_end() { std::cout << std::string(79, '=') << std::endl; }

void print_oldest_and_newest(const ReconMoments& moments) {
  const std::pair<std::string, std::optional<double>>* oldest = nullptr;
  const std::pair<std::string, std::optional<double>>* newest = nullptr;
  for (const auto& one : moments) {
    if (!one.second) continue;
    if (oldest == nullptr || *one.second < *oldest->second) oldest = &one;
    if (*one.second > (newest == nullptr ? 0.0 : *newest->second)) newest = &one;
  }
  if (oldest != nullptr && *oldest->second == 0) {
    std::cout << "Oldest completion was NEVER by " << oldest->first << ".\n";
  } else if (oldest != nullptr) {
    print_completion("Oldest", *oldest->second, oldest->first);
  }
  if (newest != nullptr) print_completion("Most recent", *newest->second, newest->first);
}

std::string size_suffix(std::int64_t size) {
  for (const char* suffix : {"bytes", "kB", "MB", "GB", "TB", "PB", "EB", "ZB"}) {
    if (size < 1000) return std::to_string(size) + " " + suffix;
    size /= 1000;
  }
  return std::to_string(size) + " YB";
}

}  // namespace apus
