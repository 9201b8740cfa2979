// Keeps the copies of every object alike, and brings home what lies on handoffs: partition by
// partition, by rsync or SSYNC.
#include <apus/plugin.h>

#include <array>
#include <atomic>
#include <thread>

#include "framework/backend/pace.h"
#include "framework/backend/recon_cache.h"
#include "plugins/object-replicator/options.h"
#include "plugins/object-replicator/partition_replicator.h"
#include "plugins/object-replicator/progress.h"

namespace apus {
namespace {

class ObjectReplicator final : public Daemon {
 public:
  explicit ObjectReplicator(const PluginArgs& args)
      : host_(args.host),
        log_(args.host.logger(args.options)),
        list_(args.host, log_, args.options),
        replicator_(args.host, log_, args.options),
        recon_(args.host, log_, args.options.text("recon_cache_path"), "object"),
        selection_(Selection::of(args.options)),
        interval_(args.options.seconds(args.options.find("interval") ? "interval" : "run_pause")),
        stats_interval_(args.options.seconds("stats_interval")),
        concurrency_(static_cast<std::size_t>(args.options.integer("concurrency"))),
        workers_(static_cast<std::size_t>(args.options.integer("replicator_workers"))),
        handoffs_first_(args.options.flag("handoffs_first")),
        cycle_(static_cast<int>(args.host.entropy().below(kCycles))) {
    if (handoffs_first_ || args.options.text("handoff_delete") != "auto") {
      log_.warning(
          "Handoff only mode is not intended for normal operation, please disable "
          "handoffs_first and handoff_delete before the next normal rebalance");
    }
  }

  void run_once(std::stop_token stop) override {
    log_.info("Running object replicator in script mode.");
    pass(selection_, " (once)", stop);
  }

  void run_forever(std::stop_token stop) override {
    log_.info("Starting object replicator in daemon mode.");
    while (!stop.stop_requested()) {
      log_.info("Starting object replication pass.");
      try {
        pass({}, "", stop);
      } catch (const std::exception& error) {
        log_.error(std::string("Exception in top-level replication loop: ") + error.what());
      }
      sleep_unless_stopped(host_.clock(), interval_, stop);
    }
  }

 private:
  static constexpr int kCycles = 10;
  static constexpr std::size_t kTogether = 8;  // partitions of one thread whose peers are asked

  void pass(const Selection& selection, const std::string& mode, const std::stop_token& stop) {
    cycle_ = (cycle_ + 1) % kCycles;
    JobList::Found found = list_.collect(selection);
    Progress progress(host_, log_, selection.all() ? &recon_ : nullptr, stats_interval_,
                      found.jobs.size());
    for (const std::string& device : found.away) progress.add_away(device, found);
    std::vector<PartitionJob> handoffs;
    if (handoffs_first_) {
      const auto end = std::stable_partition(found.jobs.begin(), found.jobs.end(),
                                             [](const PartitionJob& job) { return job.handoff; });
      handoffs.assign(std::make_move_iterator(found.jobs.begin()), std::make_move_iterator(end));
      found.jobs.erase(found.jobs.begin(), end);
    }
    bool whole = run(handoffs, found.devices.size(), progress, stop);
    if (whole && handoffs_first_ && progress.handoffs_left() > 0) {
      log_.warning(
          "Handoffs first mode still has handoffs remaining.  Aborting current "
          "replication pass.");
    } else if (whole) {
      whole = run(found.jobs, found.devices.size(), progress, stop);
    }
    progress.line(true);
    char minutes[32];
    std::snprintf(minutes, sizeof minutes, "%.2f", progress.seconds() / 60);
    log_.info("Object replication complete" + mode + ". (" + minutes + " minutes)");
    // A part of the work says nothing about all of it.
    if (selection.all() && !stop.stop_requested()) dump(found, progress);
  }

  // False when the rings changed on the way, or a stop was requested.
  bool run(const std::vector<PartitionJob>& jobs, std::size_t devices, Progress& progress,
           const std::stop_token& stop) {
    const std::size_t workers = std::max<std::size_t>(1, std::min(workers_, devices));
    std::atomic<std::size_t> next = 0;
    std::atomic<bool> ring_changed = false;
    const auto told = [&](const PartitionJob& job, const JobResult& result, Clock::Steady begin) {
      progress.add(job, result, begin);
    };
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < std::min(concurrency_ * workers, jobs.size()); ++i) {
      threads.emplace_back([&] {
        while (!stop.stop_requested() && !ring_changed) {
          std::vector<PartitionReplicator::Wanted> updates;
          while (updates.size() < kTogether && !stop.stop_requested() && !ring_changed) {
            const std::size_t at = next++;
            if (at >= jobs.size()) break;
            const PartitionJob& job = jobs[at];
            if (host_.rings().object(job.policy) != job.ring) {
              if (!ring_changed.exchange(true))
                log_.info("Ring change detected. Aborting current replication pass.");
            } else if (can_be_done(job, progress)) {
              if (!job.handoff) {
                updates.push_back({&job, lists(job)});
              } else {
                const Clock::Steady begin = host_.clock().steady();
                progress.add(job, replicator_.revert(job, stop), begin);
              }
            }
          }
          if (updates.empty() && next >= jobs.size()) return;
          replicator_.update(updates, told, stop);
        }
      });
    }
    threads.clear();
    return !ring_changed && !stop.stop_requested();
  }

  // In one pass of ten the folder is listed too.
  [[nodiscard]] bool lists(const PartitionJob& job) const {
    return (job.number + static_cast<std::uint32_t>(cycle_)) % kCycles == 0;
  }

  // False, and told, for one that has no device any more or is no folder.
  bool can_be_done(const PartitionJob& job, Progress& progress) {
    if (!list_.is_there(job)) {
      log_.warning(job.own->device + " is not mounted");
      JobResult gone;
      std::set<ReplicationStats::Node> nodes;
      for (const RingDevice* node : job.others) nodes.emplace(node->replication_ip, node->device);
      gone.stats.add_failures(nodes);
      gone.handoff_left = job.handoff;
      progress.add(job, gone, host_.clock().steady());
      return false;
    }
    struct stat info {};
    const std::string path = job.place.partition_folder();
    if (host_.disk().stat(path, info) == 0 && S_ISREG(info.st_mode)) {
      log_.warning("Removing partition directory which was a file: " + path);
      host_.disk().unlink(path);
      return false;
    }
    return true;
  }

  void dump(const JobList::Found& found, const Progress& progress) {
    const double minutes = progress.seconds() / 60;
    const double now = host_.clock().now();
    const auto entry_of = [&](const ReplicationStats& stats) {
      Json out;
      out.set("replication_stats", stats.json());
      out.set("replication_time", minutes);
      out.set("replication_last", now);
      out.set("object_replication_time", minutes);
      out.set("object_replication_last", now);
      return out;
    };
    Json entry = entry_of(progress.total());
    if (workers_ > 0) {
      Json disks{Json::Object{}};
      for (const std::string& device : found.devices)
        disks.set(device, entry_of(progress.of(device)));
      entry.set("object_replication_per_disk", std::move(disks));
    }
    recon_.dump(entry);
  }

  Host& host_;
  Logger& log_;
  JobList list_;
  PartitionReplicator replicator_;
  ReconCache recon_;
  Selection selection_;
  std::chrono::milliseconds interval_;
  std::chrono::milliseconds stats_interval_;
  std::size_t concurrency_;
  std::size_t workers_;
  bool handoffs_first_;
  int cycle_;
};

}  // namespace

APUS_EXPORT_DAEMON("object-replicator", "1.0", ObjectReplicator, kReplicatorOptions)

}  // namespace apus
