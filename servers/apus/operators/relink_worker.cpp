#include "servers/apus/operators/relink_worker.h"

#include <apus/mount_point.h>

#include <algorithm>

#include "framework/conf/served_policy.h"
#include "framework/host/process_host.h"
#include "framework/log/prefixed_logger.h"
#include "servers/apus/operators/relink_device.h"

namespace apus {
namespace {

class RelinkWorker {
 public:
  RelinkWorker(const RelinkSettings& settings, std::vector<std::string> devices,
               const std::string& prefix)
      : settings_(settings),
        cluster_(settings.swift_dir),
        host_(cluster_, settings.options, "object-relinker"),
        log_(host_.logger(settings.options), prefix),
        store_(host_.disk(), host_.clock(), log_, host_.entropy(), host_.swift_conf(),
               {.reclaim_age = settings.options.number("reclaim_age"), .known_objects = 0}),
        pace_(host_.clock(), settings.files_per_second),
        devices_(std::move(devices)),
        report_(host_, log_, settings.recon_folder, devices_, settings.clean_up,
                settings.stats_interval) {}

  int run() {
    report_.dump_worker(std::nullopt);
    int policies = 0;
    for (const StoragePolicy& policy : host_.swift_conf().policies) {
      if (!settings_.policies.empty() && !settings_.policies.contains(policy.index)) continue;
      const auto ring = host_.rings().object(policy.index);
      const auto next = ring->next_part_power();
      if (!next) continue;
      const PartPowers powers{ring->part_power(), *next};
      if (powers.relinking() == settings_.clean_up) continue;
      ++policies;
      work_on(policy, powers);
    }
    report_.dump(true);
    const int status = policies == 0 ? kNoPolicyToRelink : sum_up();
    report_.dump_worker(status);
    return status;
  }

 private:
  void work_on(const StoragePolicy& policy, PartPowers powers) {
    if (const std::string why = not_served(policy); !why.empty()) {
      log_.error(why + ": its objects are not relinked");
      refused_ = true;
      return;
    }
    log_.info("Processing files for policy " + policy.name + " under " + settings_.devices_root +
              " (cleanup=" + (settings_.clean_up ? "True" : "False") + ")");
    for (const std::string& name : chosen_devices()) {
      const std::string folder = settings_.devices_root + "/" + name;
      if (settings_.mount_check && !is_mount_point(folder)) {
        log_.warning("Skipping " + name + " as it is not mounted");
        ++report_.of(name, policy.index).unmounted;
        continue;
      }
      const RelinkPlan plan{
          host_, log_, store_, report_, pace_, settings_.clean_up, settings_.partitions};
      RelinkDevice(plan, policy, powers, folder, name).run();
    }
  }

  std::vector<std::string> chosen_devices() {
    std::vector<std::string> there;
    if (!host_.disk().list(settings_.devices_root, there))
      throw std::system_error(errno, std::generic_category(), settings_.devices_root);
    std::erase_if(there, [&](const std::string& name) {
      return !devices_.empty() &&
             std::find(devices_.begin(), devices_.end(), name) == devices_.end();
    });
    for (std::size_t i = there.size(); i > 1; --i)
      std::swap(there[i - 1], there[host_.entropy().below(i)]);
    return there;
  }

  int sum_up() {
    const RelinkPolicyReport sum = report_.sum();
    if (sum.unmounted > 0) log_.warning(std::to_string(sum.unmounted) + " disks were unmounted");
    if (sum.unlistable > 0) {
      log_.warning("There were " + std::to_string(sum.unlistable) +
                   " errors listing partition directories");
    }
    const bool good = sum.errors() == 0 && !refused_;
    log_.write(good ? LogLevel::kInfo : LogLevel::kWarning,
               std::to_string(sum.counts.hash_dirs) +
                   " hash dirs processed (cleanup=" + (settings_.clean_up ? "True" : "False") +
                   ") (" + std::to_string(sum.counts.files) + " files, " +
                   std::to_string(sum.counts.linked) + " linked, " +
                   std::to_string(sum.counts.removed) + " removed, " +
                   std::to_string(sum.counts.errors + sum.unlistable) + " errors)",
               "");
    return good ? kRelinked : kRelinkErrors;
  }

  const RelinkSettings& settings_;
  Cluster cluster_;
  ServerHost host_;
  PrefixedLogger log_;
  ObjectStore store_;
  Pace pace_;
  std::vector<std::string> devices_;
  RelinkReport report_;
  bool refused_ = false;
};

}  // namespace

int run_relink_worker(const RelinkSettings& settings, std::vector<std::string> devices,
                      const std::string& prefix) {
  return RelinkWorker(settings, std::move(devices), prefix).run();
}

}  // namespace apus
