// Opens and reads every object of this machine's devices; a damaged one goes to quarantine, from
// where replication replaces it.
#include <apus/disk.h>
#include <apus/json.h>
#include <apus/plugin.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <thread>

#include "plugins/object-auditor/audit_pass.h"

namespace apus {
namespace {

using enum OptionType;

constexpr std::array kOptions = {
    OptionSpec{"devices", kText, "/srv/node", "folder of the devices"},
    OptionSpec{"mount_check", kBool, "true", "a device must be a mount point"},
    OptionSpec{"interval", kNumber, "30", "seconds between passes", 0, 1e9},
    OptionSpec{"concurrency", kInt, "1", "devices read at once", 1, 1024},
    OptionSpec{"files_per_second", kNumber, "20",
               "objects a second, for each of those at once; 0 = no bound", 0, 1e9},
    OptionSpec{"bytes_per_second", kNumber, "10000000",
               "bytes a second, for each of those at once; 0 = no bound", 0, 1e15},
    OptionSpec{"zero_byte_files_per_second", kNumber, "50",
               "objects a second whose metadata alone is looked at, besides; 0 = none", 0, 1e9},
    OptionSpec{"disk_chunk_size", kInt, "65536",
               "bytes read at once; less than 1 MiB counts as that", 1, 1 << 30},
    OptionSpec{"log_time", kNumber, "3600", "seconds between reports of progress", 0, 1e9},
    OptionSpec{"object_size_stats", kList, "",
               "sizes in bytes: the log tells how many objects are up to each"},
    OptionSpec{"rsync_tempfile_timeout", kText, "auto",
               "seconds after which rsync's temporary files go; auto = rsync_timeout of "
               "[object-replicator] and 900, or 86400"},
    OptionSpec{"reclaim_age", kNumber, nullptr,
               "seconds after which a tombstone may go; as in [object-replicator] when unset", 0,
               1e9},
    OptionSpec{"recon_cache_path", kText, "/var/cache/swift", "folder of the recon files"},
    OptionSpec{"watchers", kList, "",
               "plugins that see every whole object, as dark_data; each may have a section "
               "[object-auditor:watcher:NAME]"},
    OptionSpec{"override_devices", kList, "",
               "names of the devices to look at; --devices on the command line"},
    OptionSpec{"zero_byte_fps", kNumber, "0",
               "look at metadata alone, so many objects a second; -z on the command line", 0, 1e9},
};

class ObjectAuditor final : public Daemon {
 public:
  explicit ObjectAuditor(const PluginArgs& args)
      : host_(args.host),
        log_(args.host.logger(args.options)),
        settings_(args.options),
        watchers_(args.options) {}

  void run_once(std::stop_token stop) override { pass("once", stop); }

  void run_forever(std::stop_token stop) override {
    while (!stop.stop_requested()) {
      pass("forever", stop);
      sleep_unless_stopped(host_.clock(), settings_.interval, stop);
    }
  }

 private:
  // Looks at metadata and at everything, side by side.
  void pass(const std::string& mode, const std::stop_token& stop) {
    const std::vector<std::string> devices =
        mode == "once" ? asked_devices() : std::vector<std::string>{};
    forget_numbers();
    if (settings_.zero_byte_only > 0) {
      run(AuditKind::kZeroByte, settings_.zero_byte_only, devices, mode, stop);
      return;
    }
    std::jthread beside;
    std::atomic<bool> all_read = false;
    if (settings_.zero_byte_files_per_second > 0) {
      beside = std::jthread([&] {
        run(AuditKind::kZeroByte, settings_.zero_byte_files_per_second, devices, mode, stop);
        while (mode == "forever" && !all_read && !stop.stop_requested()) {
          sleep_unless_stopped(host_.clock(), settings_.interval, stop);
          if (!all_read && !stop.stop_requested())
            run(AuditKind::kZeroByte, settings_.zero_byte_files_per_second, devices, mode, stop);
        }
      });
    }
    read_all(devices, mode, stop);
    all_read = true;
  }

  void read_all(std::vector<std::string> devices, const std::string& mode,
                const std::stop_token& stop) {
    if (settings_.concurrency == 1) {
      run(AuditKind::kAll, settings_.files_per_second, devices, mode, stop);
      return;
    }
    if (devices.empty()) host_.disk().list(settings_.root, devices);
    for (std::size_t i = devices.size(); i > 1; --i)
      std::swap(devices[i - 1], devices[host_.entropy().below(i)]);
    std::atomic<std::size_t> next = 0;
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < std::min(settings_.concurrency, devices.size()); ++i) {
      workers.emplace_back([&] {
        for (std::size_t at = next++; at < devices.size() && !stop.stop_requested(); at = next++)
          run(AuditKind::kAll, settings_.files_per_second, {devices[at]}, mode, stop);
      });
    }
  }

  void run(AuditKind kind, double rate, const std::vector<std::string>& devices,
           const std::string& mode, const std::stop_token& stop) {
    try {
      AuditPass(host_, log_, settings_, watchers_, kind, rate, devices, mode).run(stop);
    } catch (const std::exception& error) {
      log_.error(std::string("ERROR: Unable to run auditing: ") + error.what());
    }
  }

  // Those of the command line that there are; none of them means all.
  std::vector<std::string> asked_devices() {
    std::vector<std::string> there;
    host_.disk().list(settings_.root, there);
    std::vector<std::string> out;
    for (const std::string& name : there) {
      if (std::find(settings_.devices.begin(), settings_.devices.end(), name) !=
          settings_.devices.end())
        out.push_back(name);
    }
    return out;
  }

  void forget_numbers() {
    Json nothing;
    nothing.set("object_auditor_stats_ALL", Json(Json::Object{}));
    nothing.set("object_auditor_stats_ZBF", Json(Json::Object{}));
    ReconCache(host_, log_, settings_.recon_folder, "object").dump(nothing);
  }

  Host& host_;
  Logger& log_;
  AuditSettings settings_;
  WatcherPlugins watchers_;
};

}  // namespace

APUS_EXPORT_DAEMON("object-auditor", "1.0", ObjectAuditor, kOptions)

}  // namespace apus
