// Keeps the copies of every container database alike, their shard ranges and policies too, and
// queues rows of objects that lie in another policy than their container.
#include <apus/plugin.h>
#include <apus/text.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "framework/backend/container_replication.h"
#include "framework/backend/misplaced_queue.h"
#include "framework/backend/replicator_options.h"
#include "framework/backend/sync_store.h"
#include "framework/store/db/container_broker.h"

namespace apus {
namespace {

constexpr auto kOptions = replicator_options("6201", "{replication_ip}::container");

class ContainerReplicator final : public ContainerReplication {
 public:
  explicit ContainerReplicator(const PluginArgs& args)
      : ContainerReplication(args.host, args.options) {}

 private:
  void after(Broker& broker, const Json& info, const std::vector<bool>& successes) override {
    if (info.text_at("account") == kMisplacedAccount) return;
    ContainerBroker& own = container(broker);
    update_sync_store(host_.disk(), log_, own);
    const std::int64_t point = own.reconciler_sync_point();
    const std::int64_t max_row = info.integer_at("max_row", -1);
    if (!own.has_several_policies()) {
      if (max_row != point) own.set_reconciler_sync_point(max_row);
      return;
    }
    const std::int64_t queued = queue_misplaced(own, point);
    const auto good =
        static_cast<std::size_t>(std::count(successes.begin(), successes.end(), true));
    if (queued > point && good >= successes.size() / 2 + 1) own.set_reconciler_sync_point(queued);
  }

  // Queues every row behind `point` whose policy is not the container's; how far all were queued.
  std::int64_t queue_misplaced(ContainerBroker& own, std::int64_t point) {
    const std::int64_t last = own.max_row();
    auto rows = own.misplaced_since(point, per_diff_);
    if (rows.empty()) return last;
    for (; !rows.empty(); rows = own.misplaced_since(point, per_diff_)) {
      std::map<std::string, std::vector<ObjectRow>> batches;
      for (const auto& [number_of_row, row] : rows) {
        batches[misplaced_container_of(row)].push_back(misplaced_entry(row, own.root_path()));
        point = number_of_row;
      }
      for (const auto& [queue, entries] : batches) feed(queue, entries);
    }
    return point;
  }

  // A queue that others of this pass may be feeding goes when they are done.
  bool must_wait(const Json& info, const DatabasePlace& place, int device_id) override {
    if (finishing_ || info.text_at("account") != kMisplacedAccount) return false;
    const std::lock_guard lock(mutex_);
    queues_.try_emplace(place.folder(), place, device_id);
    return true;
  }

  // Into a local copy of the queue container; the pass's end brings it to where it belongs.
  void feed(const std::string& queue, const std::vector<ObjectRow>& entries) {
    const auto loaded = ring();
    int device_id = -1;
    const DatabasePlace place =
        local_place(*loaded, own_devices(*loaded), kMisplacedAccount, queue, device_id);
    ContainerBroker broker(services(), place, kMisplacedAccount, queue);
    if (!broker.exists()) broker.create(Timestamp::parse(queue).value_or(Timestamp()), 0);
    broker.merge_objects(entries);
    const std::lock_guard lock(mutex_);
    queues_.try_emplace(place.folder(), place, device_id);
  }

  void finish_pass(const std::stop_token& stop) override {
    std::map<std::string, std::pair<DatabasePlace, int>> queues;
    {
      const std::lock_guard lock(mutex_);
      queues.swap(queues_);
    }
    finishing_ = true;
    for (const auto& [folder, queue] : queues) {
      if (stop.stop_requested()) break;
      replicate(queue.first, queue.second);
    }
    finishing_ = false;
  }

  std::mutex mutex_;
  /// Fed in this pass, or to go at its end; by folder.
  std::map<std::string, std::pair<DatabasePlace, int>> queues_;
  bool finishing_ = false;
};

}  // namespace

APUS_EXPORT_DAEMON("container-replicator", "1.0", ContainerReplicator, kOptions)

}  // namespace apus
