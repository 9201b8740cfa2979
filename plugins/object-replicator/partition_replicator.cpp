#include "plugins/object-replicator/partition_replicator.h"

#include <apus/text.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <stdexcept>

#include "framework/store/object/partition.h"

namespace apus {
namespace {

constexpr std::size_t kMaxHashes = 4U << 20U;
constexpr std::chrono::milliseconds kLockPatience{200};

ObjectStore::Settings settings_of(const Options& options) {
  ObjectStore::Settings out;
  out.reclaim_age = options.number("reclaim_age");
  out.known_objects = 0;
  return out;
}

bool ssync_of(const Options& options) {
  const std::string method = options.text("sync_method");
  if (method != "rsync" && method != "ssync")
    throw std::invalid_argument("sync_method: '" + method + "': expected rsync or ssync");
  return method == "ssync";
}

ReplicationStats::Node node_of(const RingDevice& device) {
  return {device.replication_ip, device.device};
}

std::string name_of(const RingDevice& device) {
  return device.replication_ip + ":" + std::to_string(device.replication_port) + "/" +
         device.device;
}

}  // namespace

// What is known while one job goes on.
struct PartitionReplicator::Pass {
  SuffixMap own;
  bool fresh = false;  ///< all of `own` was hashed just now
  std::set<ReplicationStats::Node> targets;
  std::set<ReplicationStats::Node> failed;
  std::set<int> synced_regions;
  ReplicationStats stats;

  void finish() {
    stats.add_failures(failed);
    for (const auto& node : targets) stats.success += failed.contains(node) ? 0 : 1;
  }
};

// One partition whose peers are asked.
struct PartitionReplicator::Update {
  const PartitionJob* job = nullptr;
  Clock::Steady begin;
  Pass pass;
  std::vector<const RingDevice*> peers;
  std::vector<Answer> answers;  ///< of the first of `peers`, in their order
};

PartitionReplicator::PartitionReplicator(Host& host, Logger& log, const Options& options)
    : host_(host),
      log_(log),
      store_(host.disk(), host.clock(), log, host.entropy(), host.swift_conf(),
             settings_of(options)),
      rsync_(host, log, options),
      ssync_(ssync_of(options)),
      deadlines_{options.seconds("conn_timeout"), options.seconds("http_timeout")},
      ssync_deadlines_{options.seconds("conn_timeout"), options.seconds("node_timeout"),
                       options.seconds("node_timeout"), options.seconds("http_timeout")},
      handoff_delete_(parse_int(options.text("handoff_delete")).value_or(0)),
      agent_("object-replicator " + std::to_string(::getpid())) {}

Call PartitionReplicator::question(const PartitionJob& job, const RingDevice& to,
                                   const std::string& suffixes) const {
  std::string path = "/" + to.device + "/" + job.place.partition;
  if (!suffixes.empty()) path += "/" + suffixes;
  Call call{Endpoint{to.replication_ip, to.replication_port},
            Request("REPLICATE", std::move(path))};
  call.request.content_length = 0;
  call.request.headers.set("User-Agent", agent_);
  call.request.internal.set("X-Backend-Storage-Policy-Index", std::to_string(job.policy));
  return call;
}

PartitionReplicator::Answer PartitionReplicator::answer(const RingDevice& peer,
                                                        Outcome outcome) const {
  if (!outcome.response) {
    log_.error("Error syncing with node " + name_of(peer) + ": " + outcome.error->what());
    return {};
  }
  const int status = outcome.response->status;
  const bool away = status == 507;
  if (status != 200) {
    log_.error(away ? peer.replication_ip + "/" + peer.device + " responded as unmounted"
                    : "Invalid response " + std::to_string(status) + " from " + name_of(peer));
    return {std::nullopt, away};
  }
  try {
    auto hashes = decode_suffixes(read_all(outcome.response->body.get(), kMaxHashes));
    if (!hashes) log_.error("Invalid hashes from " + name_of(peer));
    return {std::move(hashes), false};
  } catch (const BodyError& error) {
    log_.error("Error syncing with node " + name_of(peer) + ": " + error.what());
    return {};
  }
}

void PartitionReplicator::update(const std::vector<Wanted>& wanted, const Told& told,
                                 const std::stop_token& stop) const {
  std::vector<Update> updates;
  std::vector<std::pair<std::size_t, std::size_t>> asked;  // by call: the update, and its peer
  const auto calls = host_.transport().volley(deadlines_);
  for (const Wanted& one : wanted) {
    if (stop.stop_requested()) return;
    updates.push_back(look(one));
    Update& update = updates.back();
    for (std::size_t i = 0; i < update.peers.size(); ++i) {
      asked.emplace_back(updates.size() - 1, i);
      calls->add(question(*one.job, *update.peers[i], ""));
    }
  }
  // All answers before the first of them is acted upon: a handing over may take long.
  while (auto done = calls->wait(std::nullopt)) {
    const auto [number, peer] = asked[done->number];
    Update& update = updates[number];
    update.answers[peer] = answer(*update.peers[peer], std::move(done->outcome));
  }
  for (Update& update : updates) {
    if (stop.stop_requested()) return;
    const JobResult result = compare(update, stop);
    told(*update.job, result, update.begin);
  }
}

PartitionReplicator::Update PartitionReplicator::look(const Wanted& wanted) const {
  const PartitionJob& job = *wanted.job;
  Update update;
  update.job = &job;
  update.begin = host_.clock().steady();
  ++update.pass.stats.attempted;
  host_.metrics().increment("partition.update.count." + job.own->device);
  try {
    auto found = store_.suffix_hashes(job.place, {}, wanted.list);
    update.pass.own = std::move(found.suffixes);
    update.pass.fresh = found.hashed == update.pass.own.size();
    update.pass.stats.suffix_hash += static_cast<std::int64_t>(found.hashed);
    host_.metrics().increment("suffix.hashes", static_cast<std::int64_t>(found.hashed));
  } catch (const std::exception& error) {
    log_.error("Error syncing partition " + job.place.partition_folder() + ": " + error.what());
    return update;
  }
  update.peers = job.others;
  for (std::size_t i = update.peers.size(); i > 1; --i)
    std::swap(update.peers[i - 1], update.peers[host_.entropy().below(i)]);
  update.answers.resize(update.peers.size());
  return update;
}

JobResult PartitionReplicator::compare(Update& update, const std::stop_token& stop) const {
  const PartitionJob& job = *update.job;
  Pass& pass = update.pass;
  std::vector<const RingDevice*>& peers = update.peers;
  std::unique_ptr<HandoffWalk> more;
  try {
    for (std::size_t i = 0; i < peers.size() && !stop.stop_requested(); ++i) {
      const RingDevice& peer = *peers[i];
      pass.targets.insert(node_of(peer));
      if (pass.synced_regions.contains(peer.region)) continue;
      const Answer theirs =
          i < update.answers.size()
              ? std::move(update.answers[i])
              : answer(peer, host_.transport().call(question(job, peer, ""), deadlines_));
      if (theirs.hashes) {
        update_peer(job, peer, *theirs.hashes, pass, stop);
        continue;
      }
      pass.failed.insert(node_of(peer));
      if (!theirs.away) continue;
      if (more == nullptr) more = job.ring->handoffs(job.number);
      if (const auto handoff = more->next()) {
        peers.push_back(handoff->device);
      } else {
        log_.error("Ran out of handoffs while replicating partition " + job.place.partition +
                   " of policy " + std::to_string(job.policy));
      }
    }
    pass.stats.suffix_count += static_cast<std::int64_t>(pass.own.size());
  } catch (const std::exception& error) {
    pass.failed = pass.targets;
    log_.error("Error syncing partition " + job.place.partition_folder() + ": " + error.what());
  }
  pass.finish();
  host_.metrics().timing(
      "partition.update.timing",
      std::chrono::duration<double, std::milli>(host_.clock().steady() - update.begin).count());
  return {std::move(pass.stats), false};
}

void PartitionReplicator::update_peer(const PartitionJob& job, const RingDevice& peer,
                                      const SuffixMap& theirs, Pass& pass,
                                      const std::stop_token& stop) const {
  std::vector<std::string> suffixes = pass.own.differing_from(theirs);
  if (!suffixes.empty() && !pass.fresh) {
    // The cache may be behind: what differs is looked at again before it travels.
    auto again = store_.suffix_hashes(job.place, suffixes, false);
    host_.metrics().increment("suffix.hashes", static_cast<std::int64_t>(again.hashed));
    pass.own = std::move(again.suffixes);
    pass.fresh = again.hashed == pass.own.size();
    suffixes = pass.own.differing_from(theirs);
  }
  if (suffixes.empty()) {
    ++pass.stats.hashmatch;
    return;
  }
  ++pass.stats.rsync;
  const Handed handed = hand_over(job, peer, suffixes, nullptr, stop);
  pass.fresh = false;  // that may have taken a while
  if (!handed.good) pass.failed.insert(node_of(peer));
  // Another region's devices keep each other alike.
  if (handed.good && peer.region != job.own->region) pass.synced_regions.insert(peer.region);
  pass.stats.suffix_sync += static_cast<std::int64_t>(suffixes.size());
  host_.metrics().increment("suffix.syncs", static_cast<std::int64_t>(suffixes.size()));
}

PartitionReplicator::Handed PartitionReplicator::hand_over(const PartitionJob& job,
                                                           const RingDevice& to,
                                                           const std::vector<std::string>& suffixes,
                                                           const std::set<std::string>* only_check,
                                                           const std::stop_token& stop) const {
  if (!ssync_) return by_rsync(job, to, suffixes, stop);
  ssync::Peer peer;
  peer.endpoint = {to.replication_ip, to.replication_port};
  peer.device = to.device;
  ssync::Job task;
  task.place = job.place;
  task.policy = job.policy;
  task.suffixes = suffixes;
  task.only_check = only_check;
  ssync::Report report = ssync::send(store_, host_, log_, peer, task, ssync_deadlines_, stop);
  if (!report.good) {
    log_.error(peer.name() + "/" + job.place.partition + " " + report.problem);
    return {};
  }
  log_.debug("ssync completed ok: dev: " + job.own->device + ", part: " + job.place.partition +
             ", policy: " + std::to_string(job.policy) +
             ", num suffixes: " + std::to_string(suffixes.size()) +
             ", available: " + std::to_string(report.offered.size()) +
             ", sent: " + std::to_string(report.puts + report.posts + report.deletes));
  Handed out;
  out.good = true;
  out.in_sync = report.in_sync(only_check != nullptr);
  out.unsent = std::move(report.unsent);
  return out;
}

PartitionReplicator::Handed PartitionReplicator::by_rsync(const PartitionJob& job,
                                                          const RingDevice& to,
                                                          const std::vector<std::string>& suffixes,
                                                          const std::stop_token& stop) const {
  Handed out;
  out.good = rsync_.push(job, to, suffixes, stop);
  if (!out.good && job.handoff) return out;
  // Whatever came over: the peer shall hash it anew.
  std::string names;
  for (const std::string& suffix : suffixes) names += (names.empty() ? "" : "-") + suffix;
  Outcome outcome = host_.transport().call(question(job, to, names), deadlines_);
  if (outcome.response) {
    drain(outcome.response->body.get(), kMaxHashes);
  } else {
    log_.warning(name_of(to) + " was not told what it got: " + outcome.error->what());
  }
  return out;
}

JobResult PartitionReplicator::revert(const PartitionJob& job, const std::stop_token& stop) const {
  Pass pass;
  JobResult result;
  result.handoff_left = true;
  const Clock::Steady begin = host_.clock().steady();
  ++pass.stats.attempted;
  host_.metrics().increment("partition.delete.count." + job.own->device);
  for (const RingDevice* peer : job.others) pass.targets.insert(node_of(*peer));
  try {
    // An incoming SSYNC holds it: two devices must not hand the same partition to each other.
    const Fd lock =
        lock_folder(host_.disk(), job.place.partition_folder(), kLockPatience, "replication");
    if (lock) {
      revert_locked(job, pass, result, stop);
    } else if (errno == ENOENT) {
      result.handoff_left = false;
    } else {
      log_.info("Unable to lock handoff partition " + job.place.partition +
                " for replication on device " + job.own->device + " policy " +
                std::to_string(job.policy));
      host_.metrics().increment("partition.lock-failure.count");
    }
  } catch (const std::exception& error) {
    log_.error("Error syncing handoff partition " + job.place.partition_folder() + ": " +
               error.what());
  }
  pass.finish();
  host_.metrics().timing(
      "partition.delete.timing",
      std::chrono::duration<double, std::milli>(host_.clock().steady() - begin).count());
  result.stats = std::move(pass.stats);
  return result;
}

void PartitionReplicator::revert_locked(const PartitionJob& job, Pass& pass, JobResult& result,
                                        const std::stop_token& stop) const {
  const PartitionFiles files(store_, job.place);
  std::map<int, std::set<std::string>> other_regions;  // what each of them has
  std::set<std::string> kept;
  std::int64_t good = 0;
  if (!files.suffixes().empty()) {
    for (const RingDevice* peer : job.others) {
      if (stop.stop_requested()) return;
      ++pass.stats.rsync;
      const auto region = other_regions.find(peer->region);
      const bool check = ssync_ && region != other_regions.end();
      Handed handed =
          hand_over(job, *peer, files.suffixes(), check ? &region->second : nullptr, stop);
      if (!handed.good) {
        pass.failed.insert(node_of(*peer));
        continue;
      }
      ++good;
      kept.merge(handed.unsent);
      if (ssync_ && peer->region != job.own->region)
        other_regions.insert_or_assign(peer->region, std::move(handed.in_sync));
    }
    const auto wanted =
        handoff_delete_ > 0 ? handoff_delete_ : static_cast<std::int64_t>(job.others.size());
    if (good < wanted || good == 0) return;
    ++pass.stats.remove;
  }
  if (other_regions.empty()) {
    log_.info("Removing partition: " + job.place.partition_folder());
    result.handoff_left = !files.remove_all_but(kept);
    return;
  }
  std::set<std::string> everywhere = other_regions.begin()->second;
  for (const auto& region : other_regions) {
    std::erase_if(everywhere,
                  [&](const std::string& hash) { return !region.second.contains(hash); });
  }
  std::erase_if(everywhere, [&](const std::string& hash) { return kept.contains(hash); });
  log_.info("Removing " + std::to_string(everywhere.size()) + " objects");
  result.handoff_left = !files.remove(everywhere);
}

}  // namespace apus
