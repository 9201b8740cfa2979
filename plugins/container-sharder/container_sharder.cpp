// Shards containers that have grown large: finds bounds, makes shards, moves rows, and keeps root
// and shards in agreement.
#include <apus/disk.h>
#include <apus/plugin.h>
#include <apus/text.h>

#include <algorithm>

#include "framework/backend/container_replication.h"
#include "framework/backend/database_walk.h"
#include "framework/backend/pass_progress.h"
#include "framework/backend/recon_cache.h"
#include "framework/sharding/cleaving_context.h"
#include "framework/sharding/compaction.h"
#include "framework/sharding/shard_plan.h"
#include "plugins/container-sharder/cleaving.h"
#include "plugins/container-sharder/container_audit.h"
#include "plugins/container-sharder/misplaced_rows.h"
#include "plugins/container-sharder/scanning.h"
#include "plugins/container-sharder/sharder_options.h"

namespace apus {
namespace {

using S = ShardRange;

constexpr auto kOptions = kSharderOptions;

std::unique_ptr<InternalClient> client_of(Host& host, const Options& options) {
  return std::make_unique<InternalClient>(
      host, options.text("internal_client_conf_path"),
      InternalClient::Settings{"Swift Container Sharder", options.integer("request_tries"), true,
                               options.find("log_name").value_or("container-sharder") + "-ic"});
}

class ContainerSharder final : public ContainerReplication {
 public:
  explicit ContainerSharder(const PluginArgs& args)
      : ContainerReplication(args.host, args.options),
        settings_(args.options, args.host.swift_conf()),
        stats_(args.host),
        peers_(args.host, log_, deadlines_, client_of(args.host, args.options)),
        recon_(args.host, log_, settings_.recon_folder, "container") {}

  void run_once(std::stop_token stop) override {
    const Clock::Steady begin = host_.clock().steady();
    try {
      pass(stop);
    } catch (const std::exception& error) {
      host_.metrics().increment("errors");
      log_.error(std::string("Exception in sharder: ") + error.what());
    }
    const double seconds = std::chrono::duration<double>(host_.clock().steady() - begin).count();
    log_.info("Container sharder cycle completed: " + std::to_string(seconds) + "s");
  }

 private:
  struct Job {
    DatabasePartition partition;
    int device_id;
  };

  void pass(const std::stop_token& stop) {
    log_.info(std::string("Container sharder cycle starting, auto-sharding ") +
              (settings_.auto_shard ? "True" : "False"));
    begin_numbers();
    stats_.begin();
    reported_ = stats_.started();
    const auto loaded = ring();
    std::vector<const RingDevice*> local;
    const std::vector<Job> jobs = find_jobs(*loaded, local);
    if (local.empty()) log_.info("Found no containers directories");
    const SharderWork work{host_,
                           log_,
                           settings_,
                           stats_,
                           peers_,
                           services(),
                           loaded,
                           [&](const ShardRange& range, int& device_id) {
                             return local_place(*loaded, local, range.account(), range.container(),
                                                device_id);
                           },
                           [&](const DatabasePlace& place, int id) { return replicate(place, id); },
                           [&](const DatabasePlace& place) { remove(place); },
                           stop};
    PassProgress progress(host_, &recon_, "container_sharder", "partitions", jobs.size());
    for (const Job& job : jobs) {
      if (stop.stop_requested()) break;
      const int index = index_of(*loaded, job);
      visit_databases(host_.disk(), job.partition, [&](const DatabasePlace& place) {
        visit(work, place, job.device_id, index);
        if (host_.clock().now() - reported_ >= settings_.stats_interval) report();
        return !stop.stop_requested();
      });
      progress.add();
    }
    report();
  }

  // Partitions of this machine's devices, in random order; `local` are those that hold containers.
  std::vector<Job> find_jobs(const Ring& of, std::vector<const RingDevice*>& local) {
    std::vector<Job> out;
    for (const RingDevice* device : own_devices(of)) {
      const std::string folder = devices_.folder(device->device);
      if (folder.empty()) {
        log_.warning("Skipping " + device->device + " as it is not mounted");
        continue;
      }
      std::vector<std::string> partitions;
      if (!host_.disk().list(folder + "/containers", partitions)) continue;
      local.push_back(device);
      if (!settings_.devices.empty() && !settings_.devices.contains(device->device)) continue;
      for (std::string& name : partitions) {
        if (!parse_digits(name)) continue;
        if (settings_.partitions.empty() || settings_.partitions.contains(name))
          out.push_back({{folder, "containers", std::move(name)}, device->id});
      }
    }
    for (std::size_t i = out.size(); i > 1; --i)
      std::swap(out[i - 1], out[host_.entropy().below(i)]);
    return out;
  }

  // The device's place among the partition's primaries: the first of them leads. -1 = a handoff.
  static int index_of(const Ring& of, const Job& job) {
    const auto partition = parse_digits(job.partition.partition).value_or(-1);
    if (partition < 0 || partition >= of.partition_count()) return -1;
    for (const RingNode& node : of.primaries(static_cast<std::uint32_t>(partition))) {
      if (node.device->id == job.device_id) return node.index;
    }
    return -1;
  }

  void visit(const SharderWork& work, const DatabasePlace& place, int device_id, int index) {
    ContainerBroker broker(work.services, place, "", "");
    Patience patience;
    patience.lock = settings_.broker_timeout;
    broker.set_patience(patience);
    std::string wrong;
    try {
      if (!broker.info()) return;
      note_candidate(broker, index);
      if (sharding_enabled(broker)) {
        stats_.add("visited", "attempted");
        process(work, broker, device_id, index);
        stats_.add("visited", "success", 1, true);
      } else {
        stats_.add("visited", "skipped");
      }
    } catch (const std::exception& error) {
      stats_.add("visited", "failure", 1, true);
      wrong = error.what();
      log_.error("Unhandled exception while processing " + place.file() + ": " + wrong);
    }
    try {
      note_progress(broker, index, wrong);
    } catch (const std::exception& error) {
      log_.error("Unhandled exception while dumping progress for " + place.file() + ": " +
                 error.what());
    }
  }

  void note_candidate(ContainerBroker& broker, int index) {
    const ShardRange own = broker.measured(broker.own_shard_range());
    if (is_sharding_candidate(own, settings_.limits.shard_container_threshold))
      stats_.sharding_candidate(SharderStats::facts(broker, index, own));
  }

  void note_progress(ContainerBroker& broker, int index, const std::string& wrong) {
    const ShardRange own = broker.own_shard_range();
    const ShardingState state = broker.state();
    if ((own.state != S::kSharding && own.state != S::kSharded) ||
        (state != ShardingState::kUnsharded && state != ShardingState::kSharding &&
         state != ShardingState::kSharded))
      return;
    if (state == ShardingState::kSharded) {
      double newest = -1;
      for (const auto& [context, when] : CleavingContext::load_all(broker))
        newest = std::max(newest, when.seconds());
      if (newest < 0 || newest + settings_.sharded_timeout < host_.clock().now()) return;
    }
    Json facts = SharderStats::facts(broker, index, broker.measured(own));
    facts.set("state", Json(std::string(shard_state_name(own.state))));
    facts.set("db_state", Json(std::string(sharding_state_name(state))));
    for (const std::int64_t shown : {S::kFound, S::kCreated, S::kCleaved, S::kActive}) {
      ShardQuery query;
      query.states = {shown};
      facts.set(shard_state_name(shown),
                Json(static_cast<std::int64_t>(broker.shard_ranges(query).size())));
    }
    facts.set("error", wrong.empty() ? Json() : Json(wrong));
    stats_.in_progress(std::move(facts));
  }

  void process(const SharderWork& work, ContainerBroker& broker, int device_id, int index) {
    const bool was_gone = broker.gone();
    const bool leads = index == 0 && settings_.auto_shard && !was_gone;
    ShardingState state = broker.state();
    log_.debug("Starting processing " + SharderWork::name_of(broker) + " state " +
               std::string(sharding_state_name(state)));
    if (leads && (state == ShardingState::kUnsharded || state == ShardingState::kSharding))
      take_back_rivals(work, broker);
    if (!audit_container(work, broker)) return;
    if (!move_misplaced_rows(work, broker)) {
      log_.debug("Some misplaced objects stay in " + SharderWork::name_of(broker));
    }
    if ((state == ShardingState::kUnsharded || state == ShardingState::kCollapsed) &&
        may_begin(broker, leads) && broker.set_sharding_state())
      state = ShardingState::kSharding;
    if (state == ShardingState::kSharding) state = go_on(work, broker, device_id, leads);
    if (work.stop.stop_requested() || broker.gone()) return;
    if (!broker.is_root()) {
      update_root(work, broker);
    } else if (state == ShardingState::kSharded) {
      look_after_shards(work, broker, device_id, index, leads);
    }
  }

  // Its own range says that it is to be sharded, and into what, or that we find that out.
  bool may_begin(ContainerBroker& broker, bool leads) {
    if (leads && broker.is_root()) {
      broker.merge_shard_ranges(begin_sharding({broker.measured(broker.own_shard_range())},
                                               settings_.limits.shard_container_threshold,
                                               host_.clock().timestamp()));
    }
    const std::int64_t own = broker.own_shard_range().state;
    if (own != S::kSharding && own != S::kShrinking && own != S::kSharded && own != S::kShrunk)
      return false;
    if (leads || !broker.shard_ranges().empty()) return true;
    log_.debug("Own shard range in state '" + std::string(shard_state_name(own)) +
               "' but no shard ranges and not leader; remaining unsharded: " +
               SharderWork::name_of(broker));
    return false;
  }

  ShardingState go_on(const SharderWork& work, ContainerBroker& broker, int device_id, bool leads) {
    const std::int64_t found = leads ? find_shard_ranges(work, broker) : 0;
    const std::int64_t created = create_shard_containers(work, broker);
    if (found > 0 || created > 0) (void)work.replicate(broker.place(), device_id);
    if (!cleave(work, broker)) return ShardingState::kSharding;
    log_.info("Completed cleaving of " + SharderWork::name_of(broker));
    if (!complete_sharding(work, broker)) return ShardingState::kSharding;
    stats_.add("visited", "completed", 1, true);
    return ShardingState::kSharded;
  }

  // A sharded root: which of its shards are too small or too large.
  void look_after_shards(const SharderWork& work, ContainerBroker& broker, int device_id, int index,
                         bool leads) {
    note_shrinking(broker, index);
    if (leads) {
      shrink(work, broker, device_id);
      ShardQuery active;
      active.states = {S::kActive};
      broker.merge_shard_ranges(begin_sharding(
          broker.shard_ranges(active), settings_.limits.shard_container_threshold, work.now()));
    }
    ShardQuery sharding;
    sharding.states = {S::kSharding};
    for (const ShardRange& range : broker.shard_ranges(sharding))
      (void)work.peers.send(range.name, {range});
  }

  void note_shrinking(ContainerBroker& broker, int index) {
    std::int64_t donors = 0;
    for (const auto& sequence : find_compactible_sequences(broker, settings_.compaction()))
      donors += static_cast<std::int64_t>(sequence.size()) - 1;
    if (donors == 0) return;
    Json facts = SharderStats::facts(broker, index, broker.measured(broker.own_shard_range()));
    facts.set("compactible_ranges", Json(donors));
    stats_.shrinking_candidate(std::move(facts));
  }

  // The acceptor learns of its wider bounds before the donors know where to go; each donor then
  // moves its rows there and ends itself.
  void shrink(const SharderWork& work, ContainerBroker& broker, int device_id) {
    auto sequences = find_compactible_sequences(broker, settings_.compaction(), true);
    if (sequences.empty()) return;
    const bool fresh = std::any_of(sequences.begin(), sequences.end(), [](const auto& sequence) {
      return std::any_of(sequence.begin(), sequence.end() - 1,
                         [](const S& donor) { return donor.state != S::kShrinking; });
    });
    store_compactions(broker, sequences, work.now());
    // No copy of the root shall hear of wider bounds before it knows whose they were.
    if (fresh) (void)work.replicate(broker.place(), device_id);
    for (ShardSequence& sequence : sequences) {
      ShardRange acceptor = std::move(sequence.back());
      sequence.pop_back();
      if (acceptor.name != broker.path()) {
        (void)work.peers.send(acceptor.name, {acceptor});
        std::int64_t objects = acceptor.object_count;
        std::int64_t bytes = acceptor.bytes_used;
        for (const ShardRange& donor : sequence) {
          objects += donor.object_count;
          bytes += donor.bytes_used;
        }
        acceptor.update_numbers(objects, bytes, work.now());
      }
      for (const ShardRange& donor : sequence) (void)work.peers.send(donor.name, {donor, acceptor});
    }
  }

  // A shard tells its root its numbers, and what it knows of other ranges.
  void update_root(const SharderWork& work, ContainerBroker& broker) {
    const auto stored = broker.stored_own_range();
    if (!stored) return;
    const double now = host_.clock().now();
    broker.reclaim(Timestamp::from_seconds(now - reclaim_age_),
                   Timestamp::from_seconds(now - 2 * reclaim_age_));
    ShardRange own = broker.measured(*stored);
    own.update_tombstones(broker.tombstone_count(), work.now());
    if (own.reported) return;
    broker.merge_shard_ranges({own});
    ShardQuery all;
    all.include_own = all.include_deleted = true;
    if (!work.peers.send(broker.root_path(), broker.shard_ranges(all),
                         {{"Referer", SharderWork::name_of(broker)}}))
      return;
    own.reported = true;  // until something changes
    broker.merge_shard_ranges({own});
    log_.debug("updated root objs=" + std::to_string(own.object_count) + ", tombstones=" +
               std::to_string(own.tombstones) + " (" + SharderWork::name_of(broker) + ")");
  }

  void report() {
    reported_ = host_.clock().now();
    stats_.log_to(log_);
    Json::Object numbers = pass_numbers();
    numbers.emplace_back("start", Json(stats_.started()));
    numbers.emplace_back("sharding", stats_.to_json(settings_.candidates_limit));
    Json entry;
    entry.set("sharding_stats", Json(std::move(numbers)));
    entry.set("sharding_time", Json(reported_ - stats_.started()));
    entry.set("sharding_last", Json(reported_));
    recon_.dump(entry);
  }

  SharderSettings settings_;
  SharderStats stats_;
  ShardingPeers peers_;
  ReconCache recon_;
  double reported_ = 0;
};

}  // namespace

APUS_EXPORT_DAEMON("container-sharder", "1.0", ContainerSharder, kOptions)

}  // namespace apus
