// Moves objects that lie in another policy than their container has, as the queue in
// .misplaced_objects tells.
#include <apus/plugin.h>
#include <apus/text.h>

#include <array>
#include <exception>
#include <vector>

#include "framework/backend/direct_rows.h"
#include "framework/backend/pace.h"
#include "framework/backend/pass_progress.h"
#include "framework/backend/shared_work.h"
#include "framework/conf/server_options.h"
#include "plugins/container-reconciler/reconciliation.h"

namespace apus {
namespace {

using enum OptionType;

constexpr std::array kOptions = {
    OptionSpec{"interval", kNumber, "30", "seconds to wait between passes", 0, 1e9},
    OptionSpec{"reclaim_age", kNumber, "604800",
               "seconds for which a row of the queue is tried again whose object is not there", 0,
               1e9},
    OptionSpec{"request_tries", kInt, "3", "how often a request is tried", 1, 100},
    OptionSpec{"internal_client_conf_path", kText, nullptr,
               "the pipeline of its requests; that of its own conf when unset"},
    OptionSpec{"concurrency", kInt, "1", "objects on their way at once", 1, 1024},
    OptionSpec{"processes", kInt, "0", "reconcilers that share the queue; 0 = one has it all", 0,
               1000000},
    OptionSpec{"process", kInt, "0", "which of them this is, from 0 on", 0, 1000000},
};
const std::string kAccountPath = std::string("/v1/") + kMisplacedAccount;

// Where the pipeline of its requests is: in its own conf, as Swift has it, unless told otherwise.
std::string client_conf(const Options& options) {
  if (auto path = options.find("internal_client_conf_path")) return *path;
  return options.find(kConfFileOption).value_or("/etc/swift/container-reconciler.conf");
}

class ContainerReconciler final : public Daemon {
 public:
  explicit ContainerReconciler(const PluginArgs& args)
      : host_(args.host),
        log_(args.host.logger(args.options)),
        interval_(args.options.seconds("interval")),
        reclaim_age_(args.options.number("reclaim_age")),
        concurrency_(static_cast<std::size_t>(args.options.integer("concurrency"))),
        processes_(args.options.integer("processes")),
        process_(args.options.integer("process")),
        client_(host_, client_conf(args.options),
                InternalClient::Settings{
                    "Swift Container Reconciler", args.options.integer("request_tries"), true,
                    args.options.find("log_name").value_or("container-reconciler") + "-ic"}),
        tally_(host_, log_),
        reconciliation_(host_, log_, client_, tally_, reclaim_age_) {
    if (processes_ > 0 && process_ >= processes_)
      throw std::runtime_error("process must be less than processes");
  }

  void run_once(std::stop_token stop) override {
    try {
      pass(stop);
    } catch (const std::exception& error) {
      log_.error(std::string("Unhandled Exception trying to reconcile: ") + error.what());
    }
    tally_.report(true);
    tally_.clear();
  }

  void run_forever(std::stop_token stop) override {
    while (!stop.stop_requested()) {
      run_once(stop);
      if (stop.stop_requested()) return;
      log_.info("sleeping between intervals (" +
                std::to_string(std::chrono::duration<double>(interval_).count()) + "s)");
      sleep_unless_stopped(host_.clock(), interval_, stop);
    }
  }

 private:
  /// One row of the queue.
  struct Task {
    std::string container;
    std::string row;
    MisplacedObject object;
  };
  using Workers = TaskWorkers<Task>;

  void pass(const std::stop_token& stop) {
    log_.debug("pulling items from the queue");
    Workers workers(concurrency_, [&](const Task& task) { work_on(task, stop); });
    const std::vector<std::string> queue = containers(stop);
    PassProgress progress(host_, nullptr, "container_reconciler", "containers", queue.size());
    for (const std::string& container : queue) {
      if (stop.stop_requested()) return;
      log_.debug("checking container " + container);
      read(container, workers, stop);
      progress.add();
      tally_.report(false);
    }
  }

  // The present hour's first, which its account may not know yet, then the newest: older ones are
  // likely to be empty.
  std::vector<std::string> containers(const std::stop_token& stop) const {
    const std::string present = misplaced_container(host_.clock().timestamp());
    std::vector<std::string> known;
    try {
      client_.list(
          kAccountPath,
          [&](const Json& row) {
            const Json* name = row.find("name");
            if (name != nullptr && name->text() != nullptr && *name->text() != present)
              known.push_back(*name->text());
            return true;
          },
          stop);
    } catch (const UnexpectedAnswer& error) {
      log_.error(std::string("Error listing containers in account ") + kMisplacedAccount + " (" +
                 error.what() + ")");
    }
    std::vector<std::string> out{present};
    out.insert(out.end(), known.rbegin(), known.rend());
    return out;
  }

  void read(const std::string& container, Workers& workers, const std::stop_token& stop) {
    bool empty = true;
    try {
      client_.list(
          kAccountPath + "/" + container,
          [&](const Json& row) {
            empty = false;
            take(container, row, workers);
            return !stop.stop_requested();
          },
          stop);
    } catch (const UnexpectedAnswer& error) {
      log_.error("Error listing objects in container " + container + " (" + error.what() + ")");
      return;
    }
    if (empty && !stop.stop_requested() && is_old(container)) drop(container, stop);
  }

  void take(const std::string& container, const Json& row, Workers& workers) {
    std::string why;
    auto object = parse_misplaced(row, why);
    if (!object) {
      tally_.count(LogLevel::kError, "invalid_record",
                   "invalid queue record: " + row.dump() + ": " + why);
      return;
    }
    if (processes_ > 0 &&
        share_of(host_.swift_conf().hash_path(object->account, object->container, object->object),
                 processes_) != process_)
      return;
    workers.give({container, *row.find("name")->text(), std::move(*object)});
  }

  void work_on(const Task& task, const std::stop_token& stop) {
    if (stop.stop_requested() || !reconciliation_.reconcile(task.object, stop)) return;
    const Timestamp newest = std::max(task.object.recorded, task.object.timestamp);
    const Timestamp when = Timestamp::from_raw(newest.raw(), newest.offset() + 1);
    tally_.count(LogLevel::kDebug, "pop_queue",
                 "remove " +
                     python_repr(std::string("/") + kMisplacedAccount + "/" + task.container + "/" +
                                 task.row) +
                     " from the queue (" + when.internal() + ")");
    try {
      delete_row(host_, log_, kMisplacedAccount, task.container, task.row, when,
                 kReconcilerPatience);
    } catch (const std::exception& error) {
      log_.error("cannot remove " + task.row + " from the queue: " + error.what());
    }
  }

  [[nodiscard]] bool is_old(const std::string& container) const {
    const auto hour = Timestamp::parse(container);
    return hour && hour->seconds() < host_.clock().now() - reclaim_age_;
  }

  // So that the queue does not grow for ever; one that got rows meanwhile answers 409, and stays.
  void drop(const std::string& container, const std::stop_token& stop) const {
    try {
      client_.ask("DELETE", kAccountPath + "/" + container, {2, 404, 409, 412}, {}, {}, stop);
    } catch (const UnexpectedAnswer& error) {
      log_.error("cannot delete the empty container " + container +
                 " of the queue: " + error.what());
    }
  }

  Host& host_;
  Logger& log_;
  std::chrono::milliseconds interval_;
  double reclaim_age_;  ///< seconds
  std::size_t concurrency_;
  std::int64_t processes_;
  std::int64_t process_;
  InternalClient client_;
  ReconcilerTally tally_;
  Reconciliation reconciliation_;
};

}  // namespace

APUS_EXPORT_DAEMON("container-reconciler", "1.0", ContainerReconciler, kOptions)

}  // namespace apus
