// Checks of what daemons left in recon_cache_path.
#include <iostream>
#include <map>

#include "servers/apus/operators/recon_checks.h"
#include "servers/apus/operators/recon_stats.h"

namespace apus {
namespace {

// One member of the answers to one question.
void check_one(const ReconOptions& options, const std::string& check, const std::string& title,
               const std::string& member) {
  print_begin(title);
  ReconNumbers numbers;
  for (const ReconAnswer& answer : ask_recon(options, check)) {
    if (answer.good()) numbers.push_back(number_of(answer.content, member));
  }
  print_stats_or_none(member, numbers);
  print_end();
}

// A member under its name or, from older daemons, another one; 0 when it has neither.
std::optional<double> either(const Json& content, const char* name, const char* older) {
  if (content.find(name) != nullptr) return number_of(content, name);
  return content.find(older) != nullptr ? number_of(content, older) : 0;
}

// "attempted", "failure" and "success" of a daemon's statistics.
using Passes = std::map<std::string, ReconNumbers>;

void take_passes(const Json* stats, Passes& passes) {
  if (stats == nullptr || stats->object() == nullptr || stats->object()->empty()) return;
  for (const char* name : {"attempted", "failure", "success"})
    passes[name].push_back(number_of(*stats, name));
}

void print_audit(const std::string& name, const std::vector<Json>& scans, bool passes) {
  if (scans.empty()) {
    std::cout << "[" << name << "_auditor] - No hosts returned valid data.\n";
    return;
  }
  std::vector<const char*> members = {"audit_time", "bytes_processed", "passes", "errors",
                                      "quarantined"};
  if (!passes) members.erase(members.begin() + 2);
  for (const char* member : members) {
    ReconNumbers numbers;
    for (const Json& scan : scans) numbers.emplace_back(nested_sum(scan, member));
    print_stats_or_none(name + "_" + member + "_last_path", numbers);
  }
}

}  // namespace

void check_async(const ReconOptions& options) {
  check_one(options, "async", "Checking async pendings", "async_pending");
}

void check_drive_audit(const ReconOptions& options) {
  check_one(options, "driveaudit", "Checking drive-audit errors", "drive_audit_errors");
}

void check_replication(const ReconOptions& options) {
  print_begin("Checking on replication");
  ReconNumbers times;
  Passes passes;
  ReconMoments last;
  for (const ReconAnswer& answer : ask_recon(options, "replication/" + options.server_type)) {
    if (!answer.good()) continue;
    times.push_back(either(answer.content, "replication_time", "object_replication_time"));
    take_passes(answer.content.find("replication_stats"), passes);
    last.emplace_back(answer.netloc(),
                      either(answer.content, "replication_last", "object_replication_last"));
  }
  print_stats_or_none("replication_time", times);
  for (const std::string name : {"failure", "success", "attempted"})
    print_stats_or_none("replication_" + name, passes[name], name);
  print_oldest_and_newest(last);
  print_end();
}

void check_reconstruction(const ReconOptions& options) {
  print_begin("Checking on reconstructors");
  ReconNumbers times;
  ReconMoments last;
  for (const ReconAnswer& answer : ask_recon(options, "reconstruction/" + options.server_type)) {
    if (!answer.good()) continue;
    times.push_back(number_of(answer.content, "object_reconstruction_time"));
    last.emplace_back(answer.netloc(),
                      either(answer.content, "object_reconstruction_last", "no older name"));
  }
  print_stats_or_none("object_reconstruction_time", times);
  print_oldest_and_newest(last);
  print_end();
}

void check_updater(const ReconOptions& options) {
  print_begin("Checking updater times");
  ReconNumbers sweeps;
  for (const ReconAnswer& answer : ask_recon(options, "updater/" + options.server_type)) {
    if (!answer.good()) continue;
    const auto sweep = number_of(answer.content, options.server_type + "_updater_sweep");
    if (sweep.value_or(0) != 0) sweeps.push_back(sweep);
  }
  print_stats_or_none("updater_last_sweep", sweeps);
  print_end();
}

void check_auditor(const ReconOptions& options) {
  print_begin("Checking auditor stats");
  std::vector<Json> scans;
  for (const ReconAnswer& answer : ask_recon(options, "auditor/" + options.server_type)) {
    if (answer.good()) scans.push_back(answer.content);
  }
  if (scans.empty()) {
    std::cout << "Error: No hosts available\n";
    return;
  }
  const auto known = [&](const std::string& name) {
    ReconNumbers out;
    for (const Json& scan : scans) {
      if (const auto number = number_of(scan, name)) out.push_back(number);
    }
    return out;
  };
  for (const char* name : {"_auditor_pass_completed", "_audits_failed", "_audits_passed"})
    print_stats_or_none(options.server_type + name, known(options.server_type + name));
  const std::string since = options.server_type + "_audits_since";
  const ReconNumbers begun = known(since);
  if (begun.empty()) {
    std::cout << "[" << since << "] - No hosts returned valid data.\n";
  } else {
    double low = *begun.front();
    double high = low;
    double total = 0;
    for (const auto& moment : begun) {
      low = std::min(low, *moment);
      high = std::max(high, *moment);
      total += *moment;
    }
    std::cout << "[last_pass] oldest: " << recon_time(low) << ", newest: " << recon_time(high)
              << ", avg: " << recon_time(total / static_cast<double>(begun.size())) << "\n";
  }
  print_end();
}

void check_object_auditor(const ReconOptions& options) {
  print_begin("Checking auditor stats ");
  std::vector<Json> all;
  std::vector<Json> zero_byte;
  for (const ReconAnswer& answer : ask_recon(options, "auditor/object")) {
    const auto take = [&](const char* name, std::vector<Json>& into) {
      const Json* scan = answer.content.find(name);
      if (scan != nullptr && scan->object() != nullptr && !scan->object()->empty())
        into.push_back(*scan);
    };
    if (!answer.good()) continue;
    take("object_auditor_stats_ALL", all);
    take("object_auditor_stats_ZBF", zero_byte);
  }
  print_audit("ALL", all, true);
  print_audit("ZBF", zero_byte, false);
  print_end();
}

void check_expirer(const ReconOptions& options) {
  print_begin("Checking on expirers");
  ReconNumbers times;
  ReconNumbers expired;
  for (const ReconAnswer& answer : ask_recon(options, "expirer/" + options.server_type)) {
    if (!answer.good()) continue;
    times.push_back(number_of(answer.content, "object_expiration_pass"));
    expired.push_back(number_of(answer.content, "expired_last_pass"));
  }
  print_stats_or_none("object_expiration_pass", times);
  print_stats_or_none("expired_last_pass", expired);
  print_end();
}

void check_sharding(const ReconOptions& options) {
  print_begin("Checking on sharders");
  ReconNumbers times;
  Passes passes;
  ReconMoments last;
  for (const ReconAnswer& answer : ask_recon(options, "sharding")) {
    if (!answer.good()) continue;
    times.push_back(either(answer.content, "sharding_time", "no older name"));
    take_passes(answer.content.find("sharding_stats"), passes);
    last.emplace_back(answer.netloc(), either(answer.content, "sharding_last", "no older name"));
  }
  print_stats_or_none("sharding_time", times);
  for (const char* name : {"attempted", "failure", "success"})
    print_stats_or_none(name, passes[name]);
  print_oldest_and_newest(last);
  print_end();
}

}  // namespace apus
