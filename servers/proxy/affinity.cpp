#include "servers/proxy/affinity.h"

#include <apus/text.h>

#include <algorithm>

namespace apus {
namespace {

constexpr std::int64_t kFar = 4294967296;

// Takes the digits at the start; nothing when there are none or too many.
std::optional<std::int64_t> take_number(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto value = parse_digits(text.substr(0, end));
  if (!value || *value > 2147483647) return std::nullopt;
  text.remove_prefix(end);
  return value;
}

std::optional<AffinityRule> parse_rule(std::string_view text, bool with_priority) {
  AffinityRule out;
  if (!text.starts_with('r')) return std::nullopt;
  text.remove_prefix(1);
  const auto region = take_number(text);
  if (!region) return std::nullopt;
  out.region = static_cast<int>(*region);
  if (text.starts_with('z')) {
    text.remove_prefix(1);
    const auto zone = take_number(text);
    if (!zone) return std::nullopt;
    out.zone = static_cast<int>(*zone);
  }
  if (with_priority) {
    if (!text.starts_with('=')) return std::nullopt;
    text.remove_prefix(1);
    const auto priority = take_number(text);
    if (!priority) return std::nullopt;
    out.priority = *priority;
  }
  if (!text.empty()) return std::nullopt;
  return out;
}

}  // namespace

std::optional<Affinity> parse_affinity(std::string_view text, bool with_priority) {
  Affinity out;
  text = trim(text);
  if (text.empty()) return out;
  while (true) {
    const std::size_t end = std::min(text.find(','), text.size());
    const auto rule = parse_rule(trim(text.substr(0, end)), with_priority);
    if (!rule) return std::nullopt;
    out.push_back(*rule);
    if (end == text.size()) break;
    text.remove_prefix(end + 1);
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.priority < b.priority; });
  return out;
}

std::int64_t priority_of(const Affinity& affinity, const RingDevice& device) {
  if (affinity.empty()) return 0;
  const auto at = std::find_if(affinity.begin(), affinity.end(),
                               [&](const auto& rule) { return rule.fits(device); });
  return at == affinity.end() ? kFar : at->priority;
}

bool is_local(const Affinity& affinity, const RingDevice& device) {
  return std::any_of(affinity.begin(), affinity.end(),
                     [&](const auto& rule) { return rule.fits(device); });
}

}  // namespace apus
