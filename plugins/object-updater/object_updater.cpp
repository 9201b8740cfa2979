// Sends container servers the rows that could not be told when objects were written.
#include <apus/disk.h>
#include <apus/json.h>
#include <apus/plugin.h>
#include <apus/transport.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "framework/backend/backend.h"
#include "framework/backend/recon_cache.h"
#include "plugins/object-updater/deferred_updates.h"
#include "plugins/object-updater/pending_walk.h"
#include "plugins/object-updater/update_sender.h"

namespace apus {
namespace {

using enum OptionType;

constexpr std::array kOptions = {
    OptionSpec{"devices", kText, "/srv/node", "folder of the devices"},
    OptionSpec{"mount_check", kBool, "true", "a device must be a mount point"},
    OptionSpec{"interval", kNumber, "300", "seconds between the starts of passes", 0, 1e9},
    OptionSpec{"concurrency", kInt, "8", "updates under way at once, for each device", 1, 1024},
    OptionSpec{"updater_workers", kInt, "1", "devices at once", 1, 1024},
    OptionSpec{"objects_per_second", kNumber, "50",
               "updates a second, for each device; 0 = no bound", 0, 1e9},
    OptionSpec{"slowdown", kNumber, nullptr, "older form of objects_per_second", 0, 1e9},
    OptionSpec{"max_objects_per_container_per_second", kNumber, "0",
               "updates of one container a second; 0 = no bound", 0, 1e9},
    OptionSpec{"per_container_ratelimit_buckets", kInt, "1000",
               "containers are counted in so many groups", 1, 1000000},
    OptionSpec{"max_deferred_updates", kInt, "10000",
               "updates of too busy containers that wait for the end of the sweep", 0, 10000000},
    OptionSpec{"node_timeout", kNumber, "10", "seconds a container server may take", 0.001, 86400},
    OptionSpec{"conn_timeout", kNumber, "0.5", "seconds to connect to it", 0.001, 86400},
    OptionSpec{"report_interval", kNumber, "300", "seconds between reports of progress", 0, 1e9},
    OptionSpec{"recon_cache_path", kText, "/var/cache/swift", "folder of the recon files"},
    OptionSpec{"async_tracker_max_entries", kInt, "100", "accepted", 0, 1e9},
    OptionSpec{"async_tracker_dump_count", kInt, "5", "accepted", 0, 1e9},
};

double rate_of(const Options& options) {
  if (options.find("slowdown") && !options.all().contains("objects_per_second"))
    return 1 / (options.number("slowdown") + 0.01);
  return options.number("objects_per_second");
}

std::string fixed(double seconds) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.2fs", seconds);
  return text.data();
}

class ObjectUpdater final : public Daemon {
 public:
  explicit ObjectUpdater(const PluginArgs& args)
      : host_(args.host),
        log_(args.host.logger(args.options)),
        root_(args.options.text("devices")),
        devices_(root_, args.options.flag("mount_check")),
        interval_(args.options.seconds("interval")),
        report_interval_(args.options.number("report_interval")),
        concurrency_(static_cast<std::size_t>(args.options.integer("concurrency"))),
        workers_(static_cast<std::size_t>(args.options.integer("updater_workers"))),
        deadlines_{args.options.seconds("conn_timeout"), args.options.seconds("node_timeout")},
        recon_(host_, log_, args.options.text("recon_cache_path"), "object") {
    limits_.per_second = rate_of(args.options);
    limits_.per_container = args.options.number("max_objects_per_container_per_second");
    limits_.buckets =
        static_cast<std::size_t>(args.options.integer("per_container_ratelimit_buckets"));
    limits_.most = static_cast<std::size_t>(args.options.integer("max_deferred_updates"));
  }

  void run_once(std::stop_token stop) override {
    log_.info("Begin object update single threaded sweep");
    sweep_all(1, "Object update single-threaded sweep completed: ", stop);
  }

  void run_forever(std::stop_token stop) override {
    repeat_passes(host_, interval_, stop, [&] {
      log_.info("Begin object update sweep");
      sweep_all(workers_, "Object update sweep completed: ", stop);
    });
  }

 private:
  void sweep_all(std::size_t at_once, const std::string& done, const std::stop_token& stop) {
    const Clock::Steady begin = host_.clock().steady();
    DeferredUpdates::Limits limits = limits_;
    limits.drain_until = begin + interval_;
    std::vector<std::string> names;
    if (!host_.disk().list(root_, names)) log_.error("ERROR: Unable to access " + root_);
    PassProgress progress(host_, &recon_, "object_updater", "folders", 0);
    for (const std::string& name : names) {
      const std::string device = devices_.folder(name);
      if (!device.empty()) progress.expect(pending_folders(host_.disk(), device));
    }
    SweepStats total(host_.metrics());
    std::atomic<std::size_t> next = 0;
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < std::min(at_once, names.size()); ++i) {
        threads.emplace_back([&] {
          for (std::size_t at = next++; at < names.size() && !stop.stop_requested(); at = next++)
            sweep(names[at], limits, total, progress, stop);
        });
      }
    }
    const double seconds = since(begin);
    log_.info(done + fixed(seconds) + ", " + total.text());
    if (stop.stop_requested()) return;
    Json entry;
    entry.set("object_updater_sweep", seconds);
    recon_.dump(entry);
  }

  void sweep(const std::string& name, const DeferredUpdates::Limits& limits, SweepStats& total,
             PassProgress& progress, const std::stop_token& stop) {
    const std::string device = devices_.folder(name);
    if (device.empty()) {
      log_.warning("Skipping: " + root_ + "/" + name + " is not mounted");
      return;
    }
    const std::string pid = "(pid: " + std::to_string(::getpid()) + ")";
    log_.info("Object update sweep starting on " + device + " " + pid);
    const Clock::Steady begin = host_.clock().steady();
    SweepStats stats(host_.metrics());
    PendingWalk walk(host_, log_, stats, progress, device);
    DeferredUpdates updates(host_, stats, walk, limits);
    UpdateSender sender(host_, log_, stats, deadlines_);
    std::mutex mutex;
    double reported = 0;
    const auto take = [&]() -> std::optional<WaitingUpdate> {
      const std::lock_guard lock(mutex);
      const double elapsed = since(begin);
      if (elapsed - reported >= report_interval_ && elapsed > 0) {
        reported = elapsed;
        log_.info("Object update sweep progress on " + device + ": " + fixed(elapsed) + ", " +
                  stats.text() + " " + pid);
      }
      return updates.next(stop);
    };
    {
      std::vector<std::jthread> crew;
      for (std::size_t i = 0; i < concurrency_; ++i) {
        crew.emplace_back([&] {
          while (auto waiting = take()) process(sender, device, *std::move(waiting), stats);
        });
      }
    }
    host_.metrics().timing("timing", since(begin) * 1000);
    log_.info("Object update sweep completed on " + device + " in " + fixed(since(begin)) +
              " seconds:, " + stats.text() + " " + pid);
    total.take(stats);
  }

  void process(UpdateSender& sender, const std::string& device, WaitingUpdate waiting,
               SweepStats& stats) {
    const std::string path = waiting.path;
    try {
      sender.process(device, std::move(waiting));
    } catch (const std::exception& error) {  // no ring
      stats.add(SweepStats::kErrors);
      log_.error("ERROR cannot send " + path + ": " + error.what());
    }
  }

  [[nodiscard]] double since(Clock::Steady begin) const {
    return std::chrono::duration<double>(host_.clock().steady() - begin).count();
  }

  Host& host_;
  Logger& log_;
  std::string root_;
  Devices devices_;
  std::chrono::milliseconds interval_;
  double report_interval_;
  std::size_t concurrency_;
  std::size_t workers_;
  Deadlines deadlines_;
  ReconCache recon_;
  DeferredUpdates::Limits limits_;
};

}  // namespace

APUS_EXPORT_DAEMON("object-updater", "1.0", ObjectUpdater, kOptions)

}  // namespace apus
