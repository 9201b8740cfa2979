// The check of how full disks are.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>

#include "servers/apus/formatted.h"
#include "servers/apus/operators/recon_checks.h"
#include "servers/apus/operators/recon_stats.h"

namespace apus {
namespace {

// Two digits behind the point, as Python's round().
double rounded(double percent) { return std::strtod(formatted("%.2f", percent).c_str(), nullptr); }

// A float as Python shows it.
std::string shown(double value) { return Json(value).dump(); }

struct Ranked {
  std::string host;
  std::string device;
  double used;
};

// The first `count` by `before`, in order; places that none has taken hold `start`.
class Ranking {
 public:
  Ranking(int count, double start, bool highest)
      : places_(static_cast<std::size_t>(std::max(count, 0)), Ranked{"", "", start}),
        highest_(highest) {}

  void offer(const Ranked& one) {
    if (places_.empty() || !before(one, places_.back())) return;
    places_.back() = one;
    std::stable_sort(places_.begin(), places_.end(),
                     [this](const Ranked& a, const Ranked& b) { return before(a, b); });
  }
  void print(const std::string& title) const {
    if (places_.empty()) return;
    std::cout << title << "\n";
    for (const Ranked& one : places_) {
      if (one.device.empty()) continue;
      std::cout << formatted("%.2f%%  ", one.used) << left(one.host, 15) << " " << one.device
                << "\n";
    }
  }

 private:
  [[nodiscard]] bool before(const Ranked& a, const Ranked& b) const {
    return highest_ ? a.used > b.used : a.used < b.used;
  }
  std::vector<Ranked> places_;
  bool highest_;
};

// What all hosts together have.
struct Disks {
  std::int64_t used = 0;
  std::int64_t free = 0;
  std::map<std::int64_t, std::int64_t> by_percent;
  std::vector<double> percents;
};

std::string text_of(const Json& entry, const char* name) {
  const Json* member = entry.find(name);
  if (member == nullptr) return "None";
  return member->text() != nullptr ? *member->text() : json_repr(*member);
}

// False when the host named no disk that is mounted.
bool take_host(const ReconAnswer& answer, Disks& disks, Ranking& top, Ranking& lowest) {
  if (answer.content.array() == nullptr) return false;
  bool any = false;
  const std::string netloc = answer.netloc();
  for (const Json& entry : *answer.content.array()) {
    const Json* mounted = entry.find("mounted");
    if (mounted == nullptr || mounted->boolean() == nullptr) {
      std::cout << "-> " << answer.url << "/" << text_of(entry, "device")
                << ": Error: " << text_of(entry, "mounted") << "\n";
      continue;
    }
    const auto used = number_of(entry, "used");
    const auto size = number_of(entry, "size");
    const auto free = number_of(entry, "avail");
    if (!*mounted->boolean() || !used || !free || size.value_or(0) <= 0) continue;
    any = true;
    const double percent = *used / *size * 100.0;
    disks.used += static_cast<std::int64_t>(std::clamp(*used, 0.0, 9e18));
    disks.free += static_cast<std::int64_t>(std::clamp(*free, 0.0, 9e18));
    disks.percents.push_back(rounded(percent));
    ++disks.by_percent[static_cast<std::int64_t>(std::clamp(rounded(percent), -9e18, 9e18))];
    const Ranked ranked{netloc.substr(0, netloc.rfind(':')), text_of(entry, "device"), percent};
    top.offer(ranked);
    lowest.offer(ranked);
  }
  return any;
}

void print_graph(const Disks& disks) {
  std::cout << "Distribution Graph:\n";
  std::int64_t most = 1;
  for (const auto& [percent, count] : disks.by_percent) most = std::max(most, count);
  for (const auto& [percent, count] : disks.by_percent) {
    const double stars = static_cast<double>(count) * (69.0 / static_cast<double>(most));
    std::cout << formatted("% 3lld%%%5lld ", static_cast<long long>(percent),
                           static_cast<long long>(count))
              << std::string(static_cast<std::size_t>(stars), '*') << "\n";
  }
}

void print_sums(const Disks& disks, bool human_readable) {
  const auto amount = [&](std::int64_t bytes) {
    return human_readable ? size_suffix(bytes) : std::to_string(bytes);
  };
  const std::int64_t total = disks.used + disks.free;
  const double average =
      total == 0 ? 0.0 : 100.0 * static_cast<double>(disks.used) / static_cast<double>(total);
  const auto [low, high] = std::minmax_element(disks.percents.begin(), disks.percents.end());
  std::cout << "Disk usage: space used: " << amount(disks.used) << " of " << amount(total)
            << "\nDisk usage: space free: " << amount(disks.free) << " of " << amount(total)
            << "\nDisk usage: lowest: " << shown(*low) << "%, highest: " << shown(*high)
            << "%, avg: " << shown(average) << "%\n";
}

// One port of each machine: all its servers tell of the same disks.
ReconOptions one_port_each(ReconOptions options) {
  std::map<std::string, int> ports;
  for (const ReconHost& host : options.hosts) ports[host.ip] = host.port;
  options.hosts.clear();
  for (const auto& [ip, port] : ports) options.hosts.push_back({ip, port});
  return options;
}

}  // namespace

void check_disk_usage(const ReconOptions& options, const DiskUsage& usage) {
  print_begin("Checking disk usage now");
  Disks disks;
  Ranking top(usage.top, 0, true);
  Ranking lowest(usage.lowest, 100, false);
  std::vector<std::string> silent;
  for (const ReconAnswer& answer : ask_recon(one_port_each(options), "diskusage")) {
    if (answer.good() && !take_host(answer, disks, top, lowest)) silent.push_back(answer.url);
  }
  for (const std::string& url : silent)
    std::cout << "-> " << url << ": Error. No drive info available.\n";
  if (disks.percents.empty()) {
    std::cout << "No hosts returned valid data.\n";
  } else {
    print_graph(disks);
    print_sums(disks, usage.human_readable);
  }
  print_end();
  top.print("TOP " + std::to_string(usage.top));
  lowest.print("LOWEST " + std::to_string(usage.lowest));
}

}  // namespace apus
