// Checks of what machines and servers are like.
#include <apus/text.h>

#include <cmath>
#include <iostream>
#include <set>

#include "servers/apus/formatted.h"
#include "servers/apus/operators/json_text.h"
#include "servers/apus/operators/recon_checks.h"
#include "servers/apus/operators/recon_stats.h"

namespace apus {
namespace {

struct Member {
  std::string name;   ///< in the answer
  std::string title;  ///< in the line
};

// Several members of the answers to one question, a line each.
void check_members(const ReconOptions& options, const std::string& check, const std::string& title,
                   const std::vector<Member>& members, bool named_when_none) {
  print_begin(title);
  const std::vector<ReconAnswer> answers = ask_recon(options, check);
  for (const auto& [name, line] : members) {
    ReconNumbers numbers;
    for (const ReconAnswer& answer : answers) {
      if (answer.good()) numbers.push_back(number_of(answer.content, name));
    }
    if (print_stats(line, numbers)) continue;
    if (named_when_none) std::cout << "[" << line << "] - ";
    std::cout << "No hosts returned valid data.\n";
  }
  print_end();
}

std::string host_count(std::size_t count) { return std::to_string(count); }

}  // namespace

void check_unmounted(const ReconOptions& options) {
  print_begin("Getting unmounted drives from " + host_count(options.hosts.size()) + " hosts...");
  std::vector<std::string> unmounted;
  std::vector<std::string> broken;
  for (const ReconAnswer& answer : ask_recon(options, "unmounted")) {
    if (!answer.good() || answer.content.array() == nullptr) continue;
    for (const Json& device : *answer.content.array()) {
      const Json* mounted = device.find("mounted");
      const bool known = mounted != nullptr && mounted->boolean() != nullptr;
      (known ? unmounted : broken)
          .push_back(json_text(device, "device") + " on " + answer.netloc());
    }
  }
  for (const std::string& device : unmounted) std::cout << "Not mounted: " << device << "\n";
  for (const std::string& device : broken) std::cout << "Device errors: " << device << "\n";
  print_end();
}

void check_load(const ReconOptions& options) {
  check_members(options, "load", "Checking load averages",
                {{"1m", "1m_load_avg"}, {"5m", "5m_load_avg"}, {"15m", "15m_load_avg"}}, true);
}

void check_sockets(const ReconOptions& options) {
  std::vector<Member> members;
  for (const char* name :
       {"tcp_in_use", "tcp_mem_allocated_bytes", "tcp6_in_use", "time_wait", "orphan"})
    members.push_back({name, name});
  check_members(options, "sockstat", "Checking socket usage", members, false);
}

void check_quarantine(const ReconOptions& options) {
  print_begin("Checking quarantine");
  std::vector<std::pair<std::string, ReconNumbers>> by_policy;
  std::vector<std::pair<std::string, ReconNumbers>> by_kind = {
      {"objects", {}}, {"containers", {}}, {"accounts", {}}};
  const auto policy_line = [&](const std::string& name) -> ReconNumbers& {
    for (auto& [known, numbers] : by_policy) {
      if (known == name) return numbers;
    }
    return by_policy.emplace_back(name, ReconNumbers()).second;
  };
  for (const ReconAnswer& answer : ask_recon(options, "quarantined")) {
    if (!answer.good()) continue;
    for (auto& [name, numbers] : by_kind) numbers.push_back(number_of(answer.content, name));
    const Json* policies = answer.content.find("policies");
    if (policies == nullptr || policies->object() == nullptr) continue;
    for (const auto& [index, policy] : *policies->object())
      policy_line("objects_" + index).push_back(number_of(policy, "objects"));
  }
  by_policy.insert(by_policy.end(), by_kind.begin(), by_kind.end());
  for (const auto& [name, numbers] : by_policy) {
    if (!print_stats("quarantined_" + name, numbers))
      std::cout << "No hosts returned valid data.\n";
  }
  print_end();
}

void check_server_type(const ReconOptions& options) {
  print_begin("Validating server type '" + options.server_type + "' on " +
              host_count(options.hosts.size()) + " hosts...");
  std::vector<std::string> wrong;
  for (const ReconAnswer& answer : ask_server_type(options)) {
    const std::string server = answer.server.substr(0, answer.server.find('/'));
    if (answer.good() && server != options.server_type + "-server")
      wrong.push_back("Invalid: " + answer.url + " is " + server);
  }
  const std::size_t hosts = options.hosts.size();
  std::cout << hosts - wrong.size() << "/" << hosts << " hosts ok, " << wrong.size()
            << " error[s] while checking hosts.\n";
  for (const std::string& line : wrong) std::cout << line << "\n";
  print_end();
}

void check_time(const ReconOptions& options, double jitter) {
  print_begin("Checking time-sync");
  const double allowed = std::abs(jitter);
  std::size_t matches = 0;
  std::size_t errors = 0;
  for (const ReconAnswer& answer : ask_recon(options, "time")) {
    const auto remote = answer.content.number();
    if (!answer.good() || !remote) {
      ++errors;
      continue;
    }
    if (*remote + allowed < answer.begun || *remote - allowed > answer.ended) {
      std::cout << "!! " << answer.url << " current time is " << recon_time(answer.ended)
                << ", but remote is " << recon_time(*remote) << ", differs by "
                << formatted("%.4f", std::abs(answer.ended - *remote)) << " sec\n";
      continue;
    }
    ++matches;
    if (options.verbose) std::cout << "-> " << answer.url << " matches.\n";
  }
  std::cout << matches << "/" << options.hosts.size() << " hosts matched, " << errors
            << " error[s] while checking hosts.\n";
  print_end();
}

void check_versions(const ReconOptions& options) {
  print_begin("Checking versions");
  std::set<std::string> versions;
  std::size_t errors = 0;
  for (const ReconAnswer& answer : ask_recon(options, "version")) {
    const std::string version = json_text(answer.content, "version");
    if (!answer.good() || version.empty()) {
      ++errors;
      continue;
    }
    versions.insert(version);
    if (options.verbose)
      std::cout << "-> " << answer.url << " installed version " << version << "\n";
  }
  std::string all;
  for (const std::string& version : versions) all += (all.empty() ? "" : ", ") + version;
  if (versions.empty()) {
    std::cout << "No hosts returned valid data.\n";
  } else {
    std::cout << "Versions " << (versions.size() == 1 ? "" : "not ") << "matched (" << all << "), "
              << errors << " error[s] while checking hosts.\n";
  }
  print_end();
}

}  // namespace apus
