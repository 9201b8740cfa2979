#include "servers/apus/operators/relink_report.h"

#include <unistd.h>

#include <algorithm>

namespace apus {
namespace {

void add(RelinkPolicyReport& to, const RelinkPolicyReport& from) {
  to.counts.hash_dirs += from.counts.hash_dirs;
  to.counts.files += from.counts.files;
  to.counts.linked += from.counts.linked;
  to.counts.removed += from.counts.removed;
  to.counts.errors += from.counts.errors;
  to.unmounted += from.unmounted;
  to.unlistable += from.unlistable;
  to.parts_done += from.parts_done;
  to.parts_before += from.parts_before;
  to.total_parts += from.total_parts;
  to.total_time = std::max(to.total_time.value_or(0), from.total_time.value_or(0));
  if (!from.begun) return;
  to.start_time = to.begun ? std::min(to.start_time, from.start_time) : from.start_time;
  to.timestamp = std::max(to.timestamp, from.timestamp);
  to.begun = true;
}

Json stats_of(const RelinkPolicyReport& report) {
  Json out;
  out.set("hash_dirs", report.counts.hash_dirs);
  out.set("files", report.counts.files);
  out.set("linked", report.counts.linked);
  out.set("removed", report.counts.removed);
  out.set("errors", report.counts.errors);
  if (report.unmounted > 0) out.set("unmounted", report.unmounted);
  if (report.unlistable > 0) out.set("unlistable_partitions", report.unlistable);
  return out;
}

// What a device and one of its policies have in common.
Json common_json(const RelinkPolicyReport& report) {
  Json out;
  out.set("stats", stats_of(report));
  if (!report.begun) return out;
  out.set("start_time", report.start_time);
  out.set("timestamp", report.timestamp);
  out.set("parts_done", report.parts_done);
  out.set("total_parts", report.total_parts);
  if (report.total_time) out.set("total_time", *report.total_time);
  const double seconds = report.timestamp - report.start_time;
  const auto done = static_cast<double>(report.parts_done - report.parts_before);
  if (seconds <= 0 || done <= 0) return out;
  out.set("rate", done / seconds);
  out.set("eta", static_cast<double>(report.total_parts - report.parts_done) * seconds / done);
  return out;
}

}  // namespace

RelinkReport::RelinkReport(Host& host, Logger& log, const std::string& recon_folder,
                           std::vector<std::string> devices, bool clean_up, double interval)
    : host_(host),
      recon_(host, log, recon_folder, "relinker"),
      names_(std::move(devices)),
      clean_up_(clean_up),
      interval_(interval),
      last_(host.clock().now()) {}

void RelinkReport::forget(Host& host, Logger& log, const std::string& recon_folder) {
  Json nothing;
  nothing.set("devices", Json(Json::Object{}));
  nothing.set("workers", Json(Json::Object{}));
  ReconCache(host, log, recon_folder, "relinker").dump(nothing);
}

Json RelinkReport::json_of(const Policies& policies) const {
  RelinkPolicyReport all;
  all.total_time = 0;
  Json by_policy{Json::Object{}};
  for (const auto& [index, report] : policies) {
    add(all, report);
    Json one = common_json(report);
    if (report.begun) {
      one.set("part_power", report.powers.from);
      one.set("next_part_power", report.powers.to);
      one.set("step", clean_up_ ? "cleanup" : "relink");
    }
    by_policy.set(std::to_string(index), std::move(one));
  }
  Json out = common_json(all);
  out.set("parts_done", all.parts_done);
  out.set("total_parts", all.total_parts);
  out.set("total_time", *all.total_time);
  out.set("policies", std::move(by_policy));
  return out;
}

Json RelinkReport::worker(std::optional<int> status) const {
  Json one;
  one.set("devices", Json(Json::Array(names_.begin(), names_.end())));
  one.set("timestamp", host_.clock().now());
  one.set("return_code", status ? Json(*status) : Json());
  Json workers;
  workers.set(std::to_string(::getpid()), std::move(one));
  Json out;
  out.set("workers", std::move(workers));
  return out;
}

void RelinkReport::dump(bool force) {
  const double now = host_.clock().now();
  if (!force && last_ + interval_ > now) return;
  last_ = now;
  Json out = worker(std::nullopt);
  Json devices;
  for (const auto& [name, policies] : devices_) devices.set(name, json_of(policies));
  if (!devices_.empty())
    out.set("devices", std::move(devices));  // an empty one would take all away
  recon_.dump(out);
}

void RelinkReport::dump_worker(std::optional<int> status) const { recon_.dump(worker(status)); }

RelinkPolicyReport RelinkReport::sum() const {
  RelinkPolicyReport out;
  for (const auto& [name, policies] : devices_) {
    for (const auto& [index, report] : policies) add(out, report);
  }
  return out;
}

}  // namespace apus
