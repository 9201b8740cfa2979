// Tells the account servers of every container whose numbers they do not have yet.
#include <apus/plugin.h>
#include <apus/ring.h>
#include <apus/transport.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>

#include "framework/backend/database_walk.h"
#include "framework/backend/pace.h"
#include "framework/backend/pass_progress.h"
#include "framework/backend/recon_cache.h"
#include "framework/store/db/container_broker.h"

namespace apus {
namespace {

using enum OptionType;

constexpr std::array kOptions = {
    OptionSpec{"devices", kText, "/srv/node", "folder of the devices"},
    OptionSpec{"mount_check", kBool, "true", "a device must be a mount point"},
    OptionSpec{"recon_cache_path", kText, "/var/cache/swift", "folder of the recon files"},
    OptionSpec{"interval", kNumber, "300", "seconds between the starts of passes", 0, 1e9},
    OptionSpec{"concurrency", kInt, "4", "partitions looked through at once", 1, 1024},
    OptionSpec{"containers_per_second", kNumber, "50", "databases a second; 0 = no bound", 0, 1e9},
    OptionSpec{"slowdown", kNumber, nullptr, "older form of containers_per_second", 0, 1e9},
    OptionSpec{"node_timeout", kNumber, "3", "seconds an account server may take", 0.001, 86400},
    OptionSpec{"conn_timeout", kNumber, "0.5", "seconds to connect to it", 0.001, 86400},
    OptionSpec{"account_suppression_time", kNumber, "60",
               "seconds for which an account that could not be told is left alone", 0, 1e9},
};

double rate_of(const Options& options) {
  if (options.find("slowdown") && !options.find("containers_per_second"))
    return 1 / (options.number("slowdown") + 0.01);
  return options.number("containers_per_second");
}

class ContainerUpdater final : public Daemon {
 public:
  explicit ContainerUpdater(const PluginArgs& args)
      : host_(args.host),
        log_(args.host.logger(args.options)),
        root_(args.options.text("devices")),
        devices_(root_, args.options.flag("mount_check")),
        interval_(args.options.seconds("interval")),
        concurrency_(static_cast<std::size_t>(args.options.integer("concurrency"))),
        pace_(args.host.clock(), rate_of(args.options)),
        deadlines_{args.options.seconds("conn_timeout"), args.options.seconds("node_timeout")},
        recon_(host_, log_, args.options.text("recon_cache_path"), "container"),
        suppression_(args.options.number("account_suppression_time")),
        user_agent_("container-updater " + std::to_string(::getpid())) {}

  void run_once(std::stop_token stop) override {
    const Clock::Steady begin = host_.clock().steady();
    told_ = failed_ = unchanged_ = 0;
    drop_old_suppressions();
    const auto partitions = database_partitions(host_, log_, root_, devices_, "containers");
    PassProgress progress(host_, &recon_, "container_updater", "partitions", partitions.size());
    std::atomic<std::size_t> next = 0;
    {
      std::vector<std::jthread> workers;
      for (std::size_t i = 0; i < std::min(concurrency_, partitions.size()); ++i) {
        workers.emplace_back([&] {
          for (std::size_t at = next++; at < partitions.size() && !stop.stop_requested();
               at = next++) {
            sweep(partitions[at], stop);
            progress.add();
          }
        });
      }
    }
    const double seconds = std::chrono::duration<double>(host_.clock().steady() - begin).count();
    log_.info("Container update sweep completed: " + std::to_string(seconds) + "s, " +
              std::to_string(told_) + " successes, " + std::to_string(failed_) + " failures, " +
              std::to_string(unchanged_) + " with no changes");
    if (stop.stop_requested()) return;
    Json entry;
    entry.set("container_updater_sweep", seconds);
    recon_.dump(entry);
  }

  void run_forever(std::stop_token stop) override {
    repeat_passes(host_, interval_, stop, [&] { run_once(stop); });
  }

 private:
  BrokerServices services() {
    return {host_.disk(), host_.clock(), host_.entropy(),
            log_,         connections_,  host_.swift_conf().constraints};
  }

  void sweep(const DatabasePartition& partition, const std::stop_token& stop) {
    visit_databases(host_.disk(), partition, [&](const DatabasePlace& place) {
      try {
        process(place);
      } catch (const DatabaseError& error) {
        log_.error("Error processing container " + place.file() + ": " + error.what());
      } catch (const std::runtime_error& error) {  // the folder's lock, or no ring
        log_.error("Error processing container " + place.file() + ": " + error.what());
      }
      pace_.wait(stop);
      return !stop.stop_requested();
    });
  }

  void process(const DatabasePlace& place) {
    ContainerBroker broker(services(), place, "", "");
    auto stat = broker.info();
    if (!stat) return;
    // A container that was made for a row alone has no numbers to tell.
    if (Timestamp::parse(stat->put_timestamp).value_or(Timestamp()).is_zero()) return;
    if (is_suppressed(stat->account)) return;
    // A shard tells its root, and the root's numbers have it in them.
    if (!broker.is_root()) stat->object_count = stat->bytes_used = 0;
    if (stat->put_timestamp <= stat->reported_put_timestamp &&
        stat->delete_timestamp <= stat->reported_delete_timestamp &&
        stat->object_count == stat->reported_object_count &&
        stat->bytes_used == stat->reported_bytes_used) {
      ++unchanged_;
      host_.metrics().increment("no_changes");
      return;
    }
    tell(broker, *stat);
  }

  void tell(ContainerBroker& broker, const ContainerStat& stat) {
    const auto ring = host_.rings().account();
    const std::uint32_t partition = ring->partition_of(host_.swift_conf().hash_path(stat.account));
    std::vector<Call> calls;
    for (const RingNode& node : ring->primaries(partition))
      calls.push_back(report(*node.device, partition, stat));
    const std::size_t count = calls.size();
    const auto outcomes = host_.transport().gather(
        std::move(calls), deadlines_, [](const auto&) { return false; },
        std::chrono::milliseconds(0));
    std::size_t taken = 0;
    std::size_t missing = 0;
    for (const Outcome& outcome : outcomes) {
      if (!outcome.response) {
        log_.error("ERROR account update failed with " + stat.account + "/" + stat.container +
                   " (will retry later): " + outcome.error->what());
        continue;
      }
      if (outcome.response->is_success()) ++taken;
      if (outcome.response->status == 404) ++missing;
    }
    if (taken >= count / 2 + 1) {
      broker.set_reported(stat);
      ++told_;
      host_.metrics().increment("successes");
      return;
    }
    ++failed_;
    host_.metrics().increment("failures");
    if (missing == count) {
      broker.quarantine("no account replicas exist");
    } else {
      suppress(stat.account);
    }
  }

  Call report(const RingDevice& device, std::uint32_t partition, const ContainerStat& stat) {
    Call call{Endpoint{device.replication_ip, device.replication_port},
              Request("PUT", "/" + device.device + "/" + std::to_string(partition) + "/" +
                                 stat.account + "/" + stat.container)};
    Headers& fields = call.request.headers;
    fields.set("X-Put-Timestamp", stat.put_timestamp);
    fields.set("X-Delete-Timestamp", stat.delete_timestamp);
    fields.set("X-Object-Count", std::to_string(stat.object_count));
    fields.set("X-Bytes-Used", std::to_string(stat.bytes_used));
    fields.set("X-Account-Override-Deleted", "yes");
    fields.set("User-Agent", user_agent_);
    call.request.internal.set("X-Backend-Storage-Policy-Index", std::to_string(stat.policy));
    return call;
  }

  bool is_suppressed(const std::string& account) {
    const std::lock_guard lock(mutex_);
    const auto found = suppressed_.find(account);
    return found != suppressed_.end() && found->second > host_.clock().now();
  }
  void suppress(const std::string& account) {
    const std::lock_guard lock(mutex_);
    suppressed_[account] = host_.clock().now() + suppression_;
  }
  void drop_old_suppressions() {
    const std::lock_guard lock(mutex_);
    std::erase_if(suppressed_,
                  [&](const auto& entry) { return entry.second < host_.clock().now(); });
  }

  Host& host_;
  Logger& log_;
  std::string root_;
  Devices devices_;
  std::chrono::milliseconds interval_;
  std::size_t concurrency_;
  Pace pace_;
  Deadlines deadlines_;
  ReconCache recon_;
  double suppression_;
  std::string user_agent_;
  DatabasePool connections_{DatabasePool::kOfDaemon};
  std::atomic<std::int64_t> told_ = 0;
  std::atomic<std::int64_t> failed_ = 0;
  std::atomic<std::int64_t> unchanged_ = 0;
  std::mutex mutex_;
  std::map<std::string, double> suppressed_;  ///< account to the moment it may be told again
};

}  // namespace

APUS_EXPORT_DAEMON("container-updater", "1.0", ContainerUpdater, kOptions)

}  // namespace apus
