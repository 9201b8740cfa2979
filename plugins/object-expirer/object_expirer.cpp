// Deletes objects whose X-Delete-At has passed, as the queue in .expiring_objects tells.
#include <apus/json.h>
#include <apus/plugin.h>

#include <array>
#include <atomic>
#include <exception>
#include <mutex>

#include "framework/backend/direct_rows.h"
#include "framework/backend/pace.h"
#include "framework/backend/pass_progress.h"
#include "framework/backend/recon_cache.h"
#include "framework/backend/shared_work.h"
#include "framework/pipeline/internal_client.h"
#include "plugins/object-expirer/expirer_settings.h"
#include "plugins/object-expirer/expiry_queue.h"

namespace apus {
namespace {

using enum OptionType;

constexpr std::array kOptions = {
    OptionSpec{"interval", kNumber, "300", "seconds between the starts of passes", 0, 1e9},
    OptionSpec{"report_interval", kNumber, "300", "seconds between reports of progress", 0, 1e9},
    OptionSpec{"concurrency", kInt, "1", "deletes under way at once", 1, 1024},
    OptionSpec{"tasks_per_second", kNumber, "50", "objects a second; 0 = no bound", 0, 1e9},
    OptionSpec{
        "dequeue_from_legacy", kBool, "false",
        "this expirer works on the queue; a conf of the name object-expirer.conf says so too"},
    OptionSpec{"processes", kInt, "0", "expirers that share the queue; 0 = one has it all", 0,
               1000000},
    OptionSpec{"process", kInt, "0", "which of them this is, from 0 on", 0, 1000000},
    OptionSpec{"internal_client_conf_path", kText, "/etc/swift/internal-client.conf",
               "conf of the proxy's pipeline that the deletes go through; object-expirer.conf is "
               "its own"},
    OptionSpec{"request_tries", kInt, "3", "how often a request is tried", 1, 100},
    OptionSpec{"reclaim_age", kNumber, "604800",
               "seconds for which a task is tried again whose object is not there", 0, 1e9},
    OptionSpec{"delay_reaping_*", kNumber, nullptr,
               "seconds for which expired objects of delay_reaping_ACCOUNT, or "
               "delay_reaping_ACCOUNT/CONTAINER, are kept",
               0, 1e9},
    OptionSpec{"round_robin_task_cache_size", kInt, "100000",
               "tasks that are put in turn by container at once", 1, 100000000},
    OptionSpec{"expiring_objects_account_name", kText, "expiring_objects",
               "account of the queue, without its prefix"},
    OptionSpec{"auto_create_account_prefix", kText, "",
               "its prefix; that of swift.conf when empty"},
    OptionSpec{"node_timeout", kNumber, "10",
               "seconds a container server may take to drop a row of the queue", 0.001, 86400},
    OptionSpec{"conn_timeout", kNumber, "0.5", "seconds to connect to it", 0.001, 86400},
    OptionSpec{"recon_cache_path", kText, "/var/cache/swift", "folder of the recon files"},
};

class ObjectExpirer final : public Daemon {
 public:
  explicit ObjectExpirer(const PluginArgs& args)
      : host_(args.host),
        log_(args.host.logger(args.options)),
        settings_(args.options, args.host.swift_conf()),
        deadlines_{args.options.seconds("conn_timeout"), args.options.seconds("node_timeout")},
        recon_(host_, log_, settings_.recon_folder, "object") {
    if (!settings_.dequeues) return;
    client_ = std::make_unique<InternalClient>(
        host_, settings_.client_conf,
        InternalClient::Settings{"Swift Object Expirer", settings_.request_tries, true,
                                 args.options.find("log_name").value_or("object-expirer") + "-ic"});
  }

  void run_once(std::stop_token stop) override {
    if (!settings_.dequeues) {
      log_.info(
          "This node is not configured to dequeue tasks from the legacy queue: it processes no "
          "expiration tasks. At least one node of the cluster needs dequeue_from_legacy = true.");
      return;
    }
    begin_ = host_.clock().steady();
    expired_ = 0;
    reported_ = 0;
    try {
      pass(stop);
    } catch (const std::exception& error) {
      log_.error(std::string("Unhandled exception: ") + error.what());
    }
  }

  void run_forever(std::stop_token stop) override {
    repeat_passes(host_, settings_.interval, stop, [&] { run_once(stop); });
  }

 private:
  void pass(const std::stop_token& stop) {
    log_.debug("Run begin");
    const auto numbers = client_->account_numbers(settings_.account, stop);
    if (numbers.containers > 0) {
      log_.info("Pass beginning for task account " + settings_.account + "; " +
                std::to_string(numbers.containers) + " possible containers; " +
                std::to_string(numbers.objects) + " possible objects");
      PassProgress progress(host_, &recon_, "object_expirer", "objects",
                            static_cast<std::size_t>(std::max<std::int64_t>(numbers.objects, 0)));
      Pace pace(host_.clock(), settings_.tasks_per_second);
      TaskWorkers<DueTask> workers(settings_.concurrency,
                                   [&](const DueTask& task) { expire(task, stop); });
      ExpiryQueue(host_, log_, settings_, *client_)
          .each(
              [&](DueTask task) {
                pace.wait(stop);
                if (!stop.stop_requested()) workers.give(std::move(task));
                progress.add();
              },
              stop);
    }
    if (stop.stop_requested()) return;
    log_.debug("Run end");
    const double seconds = elapsed();
    log_.info("Pass completed in " + std::to_string(static_cast<std::int64_t>(seconds)) + "s; " +
              std::to_string(expired_) + " objects expired");
    Json entry;
    entry.set("object_expiration_pass", seconds);
    entry.set("expired_last_pass", expired_.load());
    recon_.dump(entry);
  }

  void expire(const DueTask& due, const std::stop_token& stop) {
    const double begin = elapsed();
    const std::string name = settings_.account + " " + due.container + " " + due.row;
    try {
      delete_object(due, stop);
      delete_row(host_, log_, settings_.account, due.container, due.row, host_.clock().timestamp(),
                 deadlines_);
      ++expired_;
      host_.metrics().increment("objects");
    } catch (const UnexpectedAnswer& error) {
      host_.metrics().increment("errors");
      log_.error("Unexpected response while deleting object " + name + ": " +
                 (error.status() == 0 ? error.what() : std::to_string(error.status())));
    } catch (const std::exception& error) {
      host_.metrics().increment("errors");
      log_.error("Exception while deleting object " + name + " " + error.what());
    }
    host_.metrics().timing("timing", (elapsed() - begin) * 1000);
    report();
  }

  // One that is not there, or is to go at another moment, may be seen by a later pass: until then
  // its servers were asked in vain. In the end the task was for nothing.
  void delete_object(const DueTask& due, const std::stop_token& stop) const {
    const std::string when = due.task.when.normal();
    const std::string path = "/v1/" + due.task.target();
    if (due.async_delete) {
      client_->ask("DELETE", path, {2, 409, 404}, {{"X-Timestamp", when}}, {}, stop);
      return;
    }
    try {
      client_->ask("DELETE", path, {2, 409},
                   {{"X-Timestamp", when},
                    {"X-If-Delete-At", when},
                    {"X-Backend-Clean-Expiring-Object-Queue", "no"}},
                   {}, stop);
    } catch (const UnexpectedAnswer& error) {
      if (error.status() != 404 && error.status() != 412) throw;
      if (due.task.when.seconds() > host_.clock().now() - settings_.reclaim_age) throw;
    }
  }

  void report() {
    const std::lock_guard lock(mutex_);
    const double seconds = elapsed();
    if (seconds - reported_ < settings_.report_interval) return;
    reported_ = seconds;
    log_.info("Pass so far " + std::to_string(static_cast<std::int64_t>(seconds)) + "s; " +
              std::to_string(expired_) + " objects expired");
  }

  [[nodiscard]] double elapsed() const {
    return std::chrono::duration<double>(host_.clock().steady() - begin_).count();
  }

  Host& host_;
  Logger& log_;
  ExpirerSettings settings_;
  Deadlines deadlines_;
  ReconCache recon_;
  std::unique_ptr<InternalClient> client_;
  Clock::Steady begin_{};
  std::atomic<std::int64_t> expired_ = 0;
  std::mutex mutex_;
  double reported_ = 0;
};

}  // namespace

APUS_EXPORT_DAEMON("object-expirer", "1.0", ObjectExpirer, kOptions)

}  // namespace apus
