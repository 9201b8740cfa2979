#include "framework/backend/database_replicator.h"

#include <apus/text.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <system_error>
#include <thread>
#include <utility>

#include "framework/backend/child_process.h"
#include "framework/backend/database_walk.h"
#include "framework/backend/local_devices.h"
#include "framework/backend/pass_progress.h"
#include "framework/store/object/partition.h"

namespace apus {
namespace {

constexpr std::size_t kMaxAnswer = 64U << 20U;

bool exists(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
}
double modified(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return 0;
  return static_cast<double>(info.st_mtim.tv_sec) + static_cast<double>(info.st_mtim.tv_nsec) / 1e9;
}

std::string whole_seconds(std::chrono::milliseconds time) {
  return std::to_string((time.count() + 999) / 1000);
}

// The primaries behind our own first, so that three nodes never start with the same one.
std::vector<const RingDevice*> peers_of(const std::vector<RingNode>& nodes, int own_id) {
  std::vector<const RingDevice*> out;
  if (nodes.size() == 1) return {nodes[0].device};
  std::size_t own = 0;
  while (own < nodes.size() && nodes[own].device->id != own_id) ++own;
  for (std::size_t i = own + 1; i < nodes.size(); ++i) out.push_back(nodes[i].device);
  for (std::size_t i = 0; i < own; ++i) out.push_back(nodes[i].device);
  return out;
}

}  // namespace

ReplicationPeer::ReplicationPeer(Host& host, const Deadlines& deadlines, const RingDevice& device,
                                 std::uint32_t partition, const std::string& hash)
    : host_(host),
      deadlines_(deadlines),
      device_(device),
      path_("/" + device.device + "/" + std::to_string(partition) + "/" + hash) {}

std::string ReplicationPeer::name() const {
  return device_.replication_ip + ":" + std::to_string(device_.replication_port) + "/" +
         device_.device;
}

ReplicationPeer::Answer ReplicationPeer::call(const char* name, Json::Array arguments,
                                              std::chrono::milliseconds response) {
  arguments.insert(arguments.begin(), Json(name));
  return send(
      Json(std::move(arguments)).dump(), [] {}, response);
}

ReplicationPeer::Answer ReplicationPeer::send(std::string_view body,
                                              const std::function<void()>& meanwhile,
                                              std::chrono::milliseconds response) {
  std::vector<Call> calls(1);
  calls.front() = {Endpoint{device_.replication_ip, device_.replication_port},
                   Request("REPLICATE", path_)};
  calls.front().request.headers.set("Content-Type", "application/json");
  calls.front().request.content_length = body.size();
  Deadlines deadlines = deadlines_;
  if (response.count() > 0) deadlines.response = response;
  const auto upload = host_.transport().upload(deadlines);
  std::optional<Outcome> outcome = std::move(upload->open(std::move(calls)).front());
  if (!outcome) upload->write(body);
  meanwhile();
  if (!outcome) {
    const auto all = [](const std::vector<std::optional<Outcome>>&) { return false; };
    outcome = std::move(upload->finish(all, deadlines.response).front());
  }
  if (!outcome->response) return {};
  Answer out{outcome->response->status, ""};
  try {
    out.body = read_all(outcome->response->body.get(), kMaxAnswer);
  } catch (const BodyError&) {
    return {};
  }
  return out;
}

DatabaseReplicator::DatabaseReplicator(Host& host, const Options& options, const std::string& kind)
    : host_(host),
      log_(host.logger(options)),
      root_(options.text("devices")),
      per_diff_(options.integer("per_diff")),
      devices_(root_, options.flag("mount_check")),
      interval_(options.find("interval") ? options.seconds("interval")
                                         : options.seconds("run_pause")),
      deadlines_{options.seconds("conn_timeout"), options.seconds("node_timeout")},
      reclaim_age_(options.number("reclaim_age")),
      kind_(kind),
      addresses_(own_addresses(options.text("bind_ip"))),
      port_(static_cast<int>(options.integer("bind_port"))),
      threads_(static_cast<std::size_t>(options.integer("concurrency"))),
      pace_(host.clock(), options.number("databases_per_second")),
      max_diffs_(std::max<std::int64_t>(options.integer("max_diffs"), 1)),
      handoff_delete_(parse_int(options.text("handoff_delete")).value_or(0)),
      handoffs_only_(options.flag("handoffs_only")),
      compress_(options.flag("rsync_compress")),
      module_(options.text("rsync_module")),
      recon_(host, log_, options.text("recon_cache_path"), kind) {}
DatabaseReplicator::~DatabaseReplicator() = default;

void DatabaseReplicator::add_sync_arguments(const Json& /*info*/, Json::Array& /*out*/) const {}
std::optional<bool> DatabaseReplicator::before_rows(ReplicationPeer& /*peer*/, Broker& /*broker*/,
                                                    const Json& /*info*/, const Json& /*theirs*/) {
  return std::nullopt;
}
bool DatabaseReplicator::may_leave(Broker& /*broker*/) { return true; }
bool DatabaseReplicator::was_reported(const Json& /*info*/) const { return true; }
void DatabaseReplicator::after(Broker& /*broker*/, const Json& /*info*/,
                               const std::vector<bool>& /*successes*/) {}
bool DatabaseReplicator::must_wait(const Json& /*info*/, const DatabasePlace& /*place*/,
                                   int /*device_id*/) {
  return false;
}
void DatabaseReplicator::finish_pass(const std::stop_token& /*stop*/) {}

BrokerServices DatabaseReplicator::services() {
  return {host_.disk(), host_.clock(), host_.entropy(),
          log_,         connections_,  host_.swift_conf().constraints};
}

std::vector<const RingDevice*> DatabaseReplicator::own_devices(const Ring& of) const {
  return local_devices(of, addresses_, port_);
}

void DatabaseReplicator::begin_numbers() {
  for (auto* count : {&counts_.attempted, &counts_.success, &counts_.failure, &counts_.no_change,
                      &counts_.hashmatch, &counts_.rsync, &counts_.diff, &counts_.remote_merge,
                      &counts_.diff_capped, &counts_.remove})
    *count = 0;
}

Json::Object DatabaseReplicator::pass_numbers() const {
  Json::Object out;
  for (const auto& [name, count] :
       {std::pair<const char*, const std::atomic<std::int64_t>&>{"attempted", counts_.attempted},
        {"success", counts_.success},
        {"failure", counts_.failure},
        {"no_change", counts_.no_change},
        {"hashmatch", counts_.hashmatch},
        {"rsync", counts_.rsync},
        {"diff", counts_.diff},
        {"remote_merge", counts_.remote_merge},
        {"diff_capped", counts_.diff_capped},
        {"remove", counts_.remove}})
    out.emplace_back(name, Json(count.load()));
  return out;
}

void DatabaseReplicator::drop_old_copies(const std::string& device) {
  std::vector<std::string> names;
  host_.disk().list(device + "/tmp", names);
  for (const std::string& name : names) {
    const std::string path = device + "/tmp/" + name;
    if (modified(path) < host_.clock().now() - reclaim_age_) host_.disk().unlink(path);
  }
}

void DatabaseReplicator::run_once(std::stop_token stop) {
  const Clock::Steady begin = host_.clock().steady();
  begin_numbers();
  const double start = host_.clock().now();
  const auto loaded = ring();
  struct Job {
    DatabasePartition partition;
    int device_id;
  };
  std::vector<Job> jobs;
  for (const RingDevice* device : own_devices(*loaded)) {
    const std::string folder = devices_.folder(device->device);
    if (folder.empty()) {
      log_.warning("Skipping: " + device->device + " is not mounted");
      continue;
    }
    drop_old_copies(folder);
    std::vector<std::string> partitions;
    host_.disk().list(folder + "/" + kind_ + "s", partitions);
    for (std::string& name : partitions)
      jobs.push_back({{folder, kind_ + "s", std::move(name)}, device->id});
  }
  for (std::size_t i = jobs.size(); i > 1; --i)
    std::swap(jobs[i - 1], jobs[host_.entropy().below(i)]);
  PassProgress progress(host_, &recon_, kind_ + "_replicator", "partitions", jobs.size());
  std::atomic<std::size_t> next = 0;
  {
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < std::min(threads_, jobs.size()); ++i) {
      workers.emplace_back([&] {
        for (std::size_t at = next++; at < jobs.size() && !stop.stop_requested(); at = next++) {
          visit_databases(host_.disk(), jobs[at].partition, [&](const DatabasePlace& place) {
            replicate(place, jobs[at].device_id);
            pace_.wait(stop);
            return !stop.stop_requested();
          });
          progress.add();
        }
      });
    }
  }
  finish_pass(stop);
  const double seconds = std::chrono::duration<double>(host_.clock().steady() - begin).count();
  log_.info("Attempted to replicate " + std::to_string(counts_.attempted) + " dbs in " +
            std::to_string(seconds) + " seconds: " + std::to_string(counts_.success) +
            " successes, " + std::to_string(counts_.failure) + " failures, " +
            std::to_string(counts_.remove) + " removed, diff:" + std::to_string(counts_.diff) +
            " diff_capped:" + std::to_string(counts_.diff_capped) + " hashmatch:" +
            std::to_string(counts_.hashmatch) + " no_change:" + std::to_string(counts_.no_change) +
            " remote_merge:" + std::to_string(counts_.remote_merge) +
            " rsync:" + std::to_string(counts_.rsync));
  if (!stop.stop_requested()) dump(start, seconds);
}

// As Swift's, who was failed with left out.
void DatabaseReplicator::dump(double start, double seconds) const {
  Json stats;
  stats.set("start", start);
  stats.set("attempted", counts_.attempted.load());
  stats.set("success", counts_.success.load());
  stats.set("failure", counts_.failure.load());
  stats.set("no_change", counts_.no_change.load());
  stats.set("hashmatch", counts_.hashmatch.load());
  stats.set("rsync", counts_.rsync.load());
  stats.set("diff", counts_.diff.load());
  stats.set("remote_merge", counts_.remote_merge.load());
  stats.set("diff_capped", counts_.diff_capped.load());
  stats.set("remove", counts_.remove.load());
  Json entry;
  entry.set("replication_stats", std::move(stats));
  entry.set("replication_time", seconds);
  entry.set("replication_last", host_.clock().now());
  recon_.dump(entry);
}

void DatabaseReplicator::run_forever(std::stop_token stop) {
  repeat_passes(host_, interval_, stop, [&] { run_once(stop); });
}

std::int64_t DatabaseReplicator::Replicated::count() const {
  return std::count(successes.begin(), successes.end(), true);
}

DatabaseReplicator::Replicated DatabaseReplicator::replicate(const DatabasePlace& place,
                                                             int device_id) {
  ++counts_.attempted;
  const auto loaded = ring();
  const auto broker = broker_at(place);
  broker->set_patience({std::chrono::seconds(30), false});
  const double now = host_.clock().now();
  Json info;
  try {
    broker->reclaim(Timestamp::from_seconds(now - reclaim_age_),
                    Timestamp::from_seconds(now - 2 * reclaim_age_));
    info = broker->replication_info();
    if (info.is_null()) return {};
    if (broker->reclaimable(Timestamp::from_seconds(now - reclaim_age_))) {
      if (was_reported(info)) leave(info, place, device_id);
      return {true, {}};
    }
  } catch (const std::runtime_error& error) {
    if (std::string_view(error.what()).find("no such table") != std::string_view::npos)
      broker->quarantine(error.what());
    log_.error("ERROR reading db " + place.file() + ": " + error.what());
    ++counts_.failure;
    return {};
  }
  const std::uint32_t partition = loaded->partition_of(
      host_.swift_conf().hash_path(info.text_at("account"), info.text_at("container")));
  bool belongs = std::to_string(partition) == place.partition;
  if (!belongs) {
    log_.error("Found " + broker->file() + " for /" + info.text_at("account") +
               " when it should be on partition " + std::to_string(partition) +
               "; will replicate out and remove.");
  }
  const auto nodes = loaded->primaries(partition);
  belongs = belongs && std::any_of(nodes.begin(), nodes.end(), [&](const RingNode& node) {
              return node.device->id == device_id;
            });
  if (handoffs_only_ && belongs) return {true, {}};
  const auto& all = loaded->devices();
  const auto known = static_cast<std::size_t>(device_id) < all.size()
                         ? all[static_cast<std::size_t>(device_id)]
                         : std::nullopt;
  std::vector<const RingDevice*> peers = peers_of(nodes, device_id);
  const auto handoffs = loaded->handoffs(partition);
  std::vector<bool> successes;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    Reached reached = Reached::kFailed;
    try {
      const bool other_region = known && known->region != peers[i]->region;
      reached = replicate_to(*peers[i], *broker, partition, info, other_region);
    } catch (const std::runtime_error& error) {
      log_.error("ERROR syncing " + broker->file() + " with node " + peers[i]->replication_ip +
                 "/" + peers[i]->device + ": " + error.what());
    }
    if (reached == Reached::kNoDrive) {
      log_.error("ERROR Remote drive not mounted " + peers[i]->replication_ip + "/" +
                 peers[i]->device);
      if (const auto more = handoffs->next()) peers.push_back(more->device);
    }
    successes.push_back(reached == Reached::kDone);
    ++(successes.back() ? counts_.success : counts_.failure);
    host_.metrics().increment(successes.back() ? "successes" : "failures");
  }
  try {
    after(*broker, info, successes);
    if (!belongs && may_leave(*broker) && broker->max_row() == info.integer_at("max_row", -1)) {
      const auto good = std::count(successes.begin(), successes.end(), true);
      const bool enough =
          handoff_delete_ > 0
              ? good >= handoff_delete_
              : !successes.empty() && good == static_cast<std::ptrdiff_t>(successes.size());
      if (enough) leave(info, place, device_id);
    }
  } catch (const std::runtime_error& error) {
    log_.error("ERROR behind the replication of " + broker->file() + ": " + error.what());
  }
  if (belongs) successes.push_back(true);
  const bool whole = std::find(successes.begin(), successes.end(), false) == successes.end();
  return {whole, std::move(successes)};
}

DatabaseReplicator::Reached DatabaseReplicator::replicate_to(const RingDevice& device,
                                                             Broker& broker,
                                                             std::uint32_t partition,
                                                             const Json& info, bool other_region) {
  ReplicationPeer peer(host_, deadlines_, device, partition, broker.place().hash);
  Json::Array arguments;
  for (const char* name :
       {"max_row", "hash", "id", "created_at", "put_timestamp", "delete_timestamp", "metadata"}) {
    const Json* value = info.find(name);
    arguments.push_back(value == nullptr ? Json() : *value);
  }
  add_sync_arguments(info, arguments);
  const auto answer = peer.call("sync", std::move(arguments));
  if (answer.status == 507) return Reached::kNoDrive;
  if (answer.status == 404) {
    ++counts_.rsync;
    return send_file(peer, broker, info.text_at("id"), "complete_rsync", deadlines_.response,
                     other_region)
               ? Reached::kDone
               : Reached::kFailed;
  }
  const auto theirs = answer.good() ? Json::parse(answer.body) : std::nullopt;
  if (!theirs || theirs->object() == nullptr) {
    log_.error("ERROR Bad response " + std::to_string(answer.status) + " from " + peer.name());
    return Reached::kFailed;
  }
  broker.merge_metadata(parse_metadata_column(theirs->text_at("metadata")));
  if (const auto decided = before_rows(peer, broker, info, *theirs))
    return *decided ? Reached::kDone : Reached::kFailed;
  return bring_rows(peer, broker, info, *theirs, other_region) ? Reached::kDone : Reached::kFailed;
}

bool DatabaseReplicator::bring_rows(ReplicationPeer& peer, Broker& broker, const Json& info,
                                    const Json& theirs, bool other_region) {
  const std::string their_id = theirs.text_at("id");
  const std::int64_t own_rows = info.integer_at("max_row", -1);
  const std::int64_t their_rows = theirs.integer_at("max_row", -1);
  const std::int64_t point = theirs.integer_at("point", -1);
  const std::int64_t known = std::max(point, broker.sync_point(their_id, false));
  if (known >= own_rows) {
    ++counts_.no_change;
    return true;
  }
  if (theirs.text_at("hash") == info.text_at("hash")) {
    ++counts_.hashmatch;
    broker.merge_sync_points({{their_id, point}}, false);
    return true;
  }
  const bool far_behind = static_cast<double>(their_rows) / static_cast<double>(own_rows) < 0.5 &&
                          own_rows - their_rows > per_diff_;
  if (far_behind) {
    ++counts_.remote_merge;
    const std::chrono::milliseconds patience(
        std::max(info.integer_at("count", -1) * 1000 / 2000, deadlines_.response.count()));
    return send_file(peer, broker, info.text_at("id"), "rsync_then_merge", patience, other_region);
  }
  ++counts_.diff;
  return send_rows(peer, broker, info.text_at("id"), their_id, known);
}

bool DatabaseReplicator::send_rows(ReplicationPeer& peer, Broker& broker, const std::string& own_id,
                                   const std::string& their_id, std::int64_t point) {
  const std::vector<SyncPoint> incoming = broker.sync_points();  // before rows: what they rest on
  std::string body;
  const auto next = [&] {
    const RowsText rows = broker.rows_text(point, per_diff_);
    if (rows.last == -1) return;
    point = rows.last;
    body.append("[\"merge_items\", ").append(rows.json).append(", ");
    append_json_string(body, own_id);
    body += ']';
  };
  next();
  for (std::int64_t batch = 0; !body.empty(); ++batch) {
    if (batch >= max_diffs_) {
      ++counts_.diff_capped;
      log_.debug("Synchronization for " + broker.file() + " has fallen more than " +
                 std::to_string(max_diffs_ * per_diff_) + " rows behind; moving on");
      return false;
    }
    const std::string sent = std::exchange(body, "");
    if (!peer.send(sent, next).good()) return false;
  }
  Json::Array points;
  for (const SyncPoint& one : incoming) {
    Json dict;
    dict.set("remote_id", Json(one.remote_id));
    dict.set("sync_point", Json(one.point));
    points.push_back(std::move(dict));
  }
  if (!peer.call("merge_syncs", {Json(std::move(points))}).good()) return false;
  broker.merge_sync_points({{their_id, point}}, false);
  return true;
}

bool DatabaseReplicator::rsync(const std::string& file, const std::string& target, bool whole,
                               bool other_region) {
  std::vector<std::string> command = {"rsync", "--quiet", "--no-motd",
                                      "--timeout=" + whole_seconds(deadlines_.response)};
  if (is_rsync_daemon(target))
    command.push_back("--contimeout=" + whole_seconds(deadlines_.connect));
  if (whole) command.emplace_back("--whole-file");
  if (compress_ && other_region) command.emplace_back("--compress");
  command.push_back(file);
  command.push_back(target);
  const ChildResult result = run_child(command, std::chrono::hours(24));
  if (!result.good)
    log_.error("ERROR rsync of " + file + " to " + target + " failed: " + result.output);
  return result.good;
}

bool DatabaseReplicator::send_file(ReplicationPeer& peer, Broker& broker, const std::string& own_id,
                                   const char* call, std::chrono::milliseconds timeout,
                                   bool other_region) {
  const std::string file = broker.file();
  const std::string target =
      rsync_module_for(module_, peer.device()) + "/" + peer.device().device + "/tmp/" + own_id;
  const double before = modified(file);
  if (!rsync(file, target, true, other_region)) return false;
  if (exists(file + "-journal") || modified(file) > before) {
    bool good = false;  // it changed on the way: again, with the writers held back
    broker.locked([&] { good = rsync(file, target, false, other_region); });
    if (!good) return false;
  }
  return peer.call(call, {Json(own_id), Json(file.substr(file.rfind('/') + 1))}, timeout).good();
}

void DatabaseReplicator::leave(const Json& info, const DatabasePlace& place, int device_id) {
  if (!must_wait(info, place, device_id)) remove(place);
}

void DatabaseReplicator::remove(const DatabasePlace& place) {
  Disk& disk = host_.disk();
  const std::string folder = place.folder();
  {
    const Fd lock = lock_folder(disk, folder, std::chrono::seconds(10));
    if (!lock) return;
    std::vector<std::string> names;
    disk.list(folder, names);
    for (const std::string& name : names) disk.unlink(folder + "/" + name);
  }
  ++counts_.remove;
  std::string empty = folder;  // suffix and partition go with the last database in them
  for (int i = 0; i < 3 && disk.rmdir(empty) == 0; ++i) empty.resize(empty.rfind('/'));
}

}  // namespace apus
