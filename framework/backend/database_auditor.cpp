#include "framework/backend/database_auditor.h"

#include <system_error>

#include "framework/backend/database_walk.h"
#include "framework/backend/pass_progress.h"

namespace apus {
namespace {

std::string rounded(double seconds) { return std::to_string(seconds).substr(0, 8); }

}  // namespace

DatabaseAuditor::DatabaseAuditor(Host& host, const Options& options, const std::string& kind)
    : host_(host),
      log_(host.logger(options)),
      kind_(kind),
      root_(options.text("devices")),
      devices_(root_, options.flag("mount_check")),
      interval_(options.seconds("interval")),
      pace_(host.clock(), options.number(kind + "s_per_second")),
      recon_(host, log_, options.text("recon_cache_path"), kind) {}
DatabaseAuditor::~DatabaseAuditor() = default;

BrokerServices DatabaseAuditor::services() {
  return {host_.disk(), host_.clock(), host_.entropy(),
          log_,         connections_,  host_.swift_conf().constraints};
}

void DatabaseAuditor::audit_one(const DatabasePlace& place) {
  std::string wrong;
  try {
    wrong = audit(place);
  } catch (const DatabaseError& error) {
    wrong = error.what();
  } catch (const std::system_error& error) {
    wrong = error.what();
  }
  if (wrong.empty()) {
    ++passed_;
    host_.metrics().increment("passes");
    return;
  }
  ++failed_;
  host_.metrics().increment("failures");
  log_.error("Audit Failed for " + place.file() + ": " + wrong);
}

void DatabaseAuditor::report(const char* mode, double since, double seconds) {
  log_.info(kind_ + " audit " + mode + " completed: " + rounded(seconds) + "s, " +
            std::to_string(passed_) + " passed audit, " + std::to_string(failed_) +
            " failed audit");
  Json entry;
  entry.set(kind_ + "_audits_since", since);
  entry.set(kind_ + "_audits_passed", passed_);
  entry.set(kind_ + "_audits_failed", failed_);
  entry.set(kind_ + "_auditor_pass_completed", seconds);
  recon_.dump(entry);
}

void DatabaseAuditor::run_once(std::stop_token stop) {
  const Clock::Steady begin = host_.clock().steady();
  const double since = host_.clock().now();
  passed_ = failed_ = 0;
  const auto partitions = database_partitions(host_, log_, root_, devices_, kind_ + "s");
  PassProgress progress(host_, &recon_, kind_ + "_auditor", "partitions", partitions.size());
  for (const auto& partition : partitions) {
    if (stop.stop_requested()) return;
    visit_databases(host_.disk(), partition, [&](const DatabasePlace& place) {
      audit_one(place);
      pace_.wait(stop);
      return !stop.stop_requested();
    });
    progress.add();
  }
  report("pass", since, std::chrono::duration<double>(host_.clock().steady() - begin).count());
}

void DatabaseAuditor::run_forever(std::stop_token stop) {
  repeat_passes(host_, interval_, stop, [&] { run_once(stop); });
}

}  // namespace apus
