// Filter in front of the object server: the verb SSYNC, by which another node's replicator hands
// over objects.
//
// Whatever can be said about the request itself is said before the exchange starts, as a plain HTTP
// answer that the sender reports: unknown policy 503, bad path or fragment index 400, device away
// 507, no turn free or partition busy 503. From then on the answer is 200, its body the exchange.
#include <apus/plugin.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "framework/backend/backend.h"
#include "framework/store/object/partition.h"
#include "plugins/ssync/session.h"

namespace apus {
namespace {

using enum OptionType;

constexpr std::array kOptions = {
    OptionSpec{"devices", kText, "/srv/node", "folder of the devices"},
    OptionSpec{"mount_check", kBool, "true", "a device must be a mount point"},
    OptionSpec{"reclaim_age", kNumber, "604800", "seconds a tombstone is kept", 0, 1e9},
    OptionSpec{"replication_server", kText, nullptr, "false: no SSYNC"},
    OptionSpec{"replication_concurrency", kInt, "4", "SSYNC requests at once, 0 without limit", 0,
               1e6},
    OptionSpec{"replication_concurrency_per_device", kInt, "1",
               "SSYNC requests at once on one device, 0 without limit", 0, 1e6},
    OptionSpec{"replication_lock_timeout", kNumber, "15", "seconds SSYNC waits for its locks", 0,
               86400},
    OptionSpec{"replication_failure_threshold", kInt, "100", "failed parts that may end an SSYNC",
               0, 1e9},
    OptionSpec{"replication_failure_ratio", kNumber, "1.0", "failures for each success that end it",
               0, 1e9},
    OptionSpec{"*", kText, nullptr, "options of the object server"},
};

// A sender waits ten seconds for the head of an answer: within that a busy partition is told.
constexpr double kLongestWait = 6;

class Ssync final : public Filter {
 public:
  Ssync(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        host_(args.host),
        log_(args.host.logger(args.options)),
        devices_(args.options.text("devices"), args.options.flag("mount_check")),
        store_(args.host.disk(), args.host.clock(), log_, args.host.entropy(),
               args.host.swift_conf(), settings_of(args.options)),
        turns_(static_cast<int>(args.options.integer("replication_concurrency"))),
        device_turns_(static_cast<int>(args.options.integer("replication_concurrency_per_device"))),
        wait_(static_cast<std::int64_t>(
            std::min(args.options.number("replication_lock_timeout"), kLongestWait) * 1000)) {
    limits_.threshold = args.options.integer("replication_failure_threshold");
    limits_.ratio = args.options.number("replication_failure_ratio");
    const auto replication = args.options.find("replication_server");
    enabled_ = !replication || is_true(*replication);
  }

  Response operator()(Request& request) const override {
    if (enabled_ && request.method == "SSYNC") return receive(request);
    Response out = next()(request);
    if (enabled_ && (request.method == "OPTIONS" || out.status == 405)) {
      const std::string allow(out.headers.get("Allow"));
      if (!allow.empty()) out.headers.set("Allow", allow + ", SSYNC");
    }
    return out;
  }

 private:
  static ObjectStore::Settings settings_of(const Options& options) {
    ObjectStore::Settings out;
    out.reclaim_age = options.number("reclaim_age");
    out.known_objects = 0;  // each is looked at once
    return out;
  }

  Response receive(Request& request) const {
    const SwiftConf& conf = host_.swift_conf();
    Response refusal;
    const auto policy = request_policy(request, conf, refusal);
    if (!policy) return refusal;
    const auto path = split_backend_path(request.path, 2, 2);
    if (!path) return bad_request(request, "Invalid path: " + quote(request.path));
    for (const char* name : {"X-Backend-Ssync-Frag-Index", "X-Backend-Ssync-Node-Index"}) {
      const std::string_view index = fact(request, name);
      if (!index.empty() && !parse_int(index)) {
        return bad_request(request,
                           "Invalid " + std::string(name) + " '" + std::string(index) + "'");
      }
    }
    const PartitionPlace place{devices_.folder(path->device),
                               conf.policy(*policy)->directory("objects"),
                               std::string(path->partition)};
    if (place.device.empty()) return insufficient_storage(request, path->device);
    SsyncTurn turn(running_, turns_);
    if (!turn) return busy("as many SSYNC requests as this server may run are under way");
    const std::string problem = lock(place, turn);
    if (!problem.empty()) return busy(problem);
    SsyncTarget target{place, "/" + std::string(path->device) + "/" + std::string(path->partition),
                       std::to_string(*policy), std::string(fact(request, "X-Trans-Id"))};
    Response out(200);
    out.content_length.reset();
    out.headers.set("Content-Type", "text/html; charset=UTF-8");
    out.internal.set("X-Backend-Accept-No-Commit", "True");
    out.body = std::make_unique<SsyncSession>(store_, next(), log_, std::move(target), limits_,
                                              std::move(turn), std::move(request.body));
    return out;
  }

  // The partition's lock, then one of the device's. Empty, or what is not to be had.
  std::string lock(const PartitionPlace& place, SsyncTurn& turn) const {
    Disk& disk = host_.disk();
    const int error = make_folders(disk, place.partition_folder(), false);
    if (error != 0) return "the partition cannot be made: errno " + std::to_string(error);
    turn.partition = lock_folder(disk, place.partition_folder(), wait_, "replication");
    if (!turn.partition) return "another replicates this partition";
    if (device_turns_ == 0) return "";
    for (int i = 0; i < device_turns_; ++i) {
      const bool last = i + 1 == device_turns_;
      turn.device = lock_folder(disk, place.device, last ? wait_ : std::chrono::milliseconds(0),
                                i == 0 ? "" : std::to_string(i));
      if (turn.device) return "";
    }
    return "another replicates this device";
  }

  Response busy(const std::string& why) const {
    log_.info("SSYNC refused: " + why);
    return Response(503, why + "\n");
  }

  Host& host_;
  Logger& log_;
  Devices devices_;
  ObjectStore store_;
  SsyncLimits limits_;
  mutable std::atomic<int> running_{0};
  int turns_;
  int device_turns_;
  std::chrono::milliseconds wait_;
  bool enabled_ = true;
};

}  // namespace

APUS_EXPORT_FILTER("ssync", "1.0", Ssync, kOptions)

}  // namespace apus
