// Sends what changes in containers that have an X-Container-Sync-To to the containers that they
// name, in this cluster or another.
#include <apus/plugin.h>
#include <apus/ring.h>
#include <apus/sync_realms.h>
#include <apus/text.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <exception>
#include <optional>

#include "framework/backend/database_walk.h"
#include "framework/backend/local_devices.h"
#include "framework/backend/moment_text.h"
#include "framework/backend/pace.h"
#include "framework/backend/pass_progress.h"
#include "framework/backend/sync_store.h"
#include "plugins/container-sync/row_sync.h"

namespace apus {
namespace {

using enum OptionType;

constexpr std::array kOptions = {
    OptionSpec{"devices", kText, "/srv/node", "folder of the devices"},
    OptionSpec{"mount_check", kBool, "true", "a device must be a mount point"},
    OptionSpec{"bind_ip", kText, "0.0.0.0", "address of this machine in the ring"},
    OptionSpec{"bind_port", kInt, "6201", "port of its container server there", 1, 65535},
    OptionSpec{"interval", kNumber, "300", "seconds between the starts of passes", 0, 1e9},
    OptionSpec{"container_time", kNumber, "60", "seconds of a pass that one container may take", 0,
               1e9},
    OptionSpec{"conn_timeout", kNumber, "5",
               "seconds to connect to the other cluster, and for each wait for it", 0.001, 86400},
    OptionSpec{"request_tries", kInt, "3", "how often an object is tried to be read", 1, 100},
    OptionSpec{"allowed_sync_hosts", kList, "127.0.0.1",
               "hosts to which containers may be synced by URL"},
    OptionSpec{"sync_proxy", kList, nullptr,
               "proxies for HTTP to send through, one chosen for each request"},
    OptionSpec{"internal_client_conf_path", kText, nullptr,
               "conf of the proxy's pipeline that objects are read through; one of its own when "
               "unset"},
};

// With symlink, so that links are sent as such.
constexpr std::string_view kOwnPipeline = R"(
[pipeline:main]
pipeline = catch_errors proxy-logging cache symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:symlink]
use = egg:swift#symlink
[filter:cache]
use = egg:swift#memcache
[filter:proxy-logging]
use = egg:swift#proxy_logging
[filter:catch_errors]
use = egg:swift#catch_errors
)";

ConfFile client_conf(const Options& options, Logger& log) {
  std::vector<ConfProblem> problems;
  const auto path = options.find("internal_client_conf_path");
  if (path && !path->empty()) {
    ConfFile out = read_conf(*path, problems);
    if (any_fatal(problems)) throw std::runtime_error(problems.front().text());
    return out;
  }
  log.warning(
      "Configuration option internal_client_conf_path not defined. Using default configuration");
  return parse_conf(kOwnPipeline, "internal-client.conf", problems);
}

std::string with_fraction(double seconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.5f", seconds);
  return text.data();
}

std::string value_of(const DatabaseMetadata& all, const char* name) {
  const auto found = all.find(name);
  return found == all.end() ? "" : found->second.first;
}

class ContainerSync final : public Daemon {
 public:
  explicit ContainerSync(const PluginArgs& args)
      : host_(args.host),
        log_(args.host.logger(args.options)),
        root_(args.options.text("devices")),
        devices_(root_, args.options.flag("mount_check")),
        addresses_(own_addresses(args.options.text("bind_ip"))),
        port_(static_cast<int>(args.options.integer("bind_port"))),
        interval_(args.options.seconds("interval")),
        container_time_(args.options.number("container_time")),
        timeout_(args.options.seconds("conn_timeout")),
        allowed_hosts_(args.options.list("allowed_sync_hosts")),
        proxies_(args.options.list("sync_proxy")),
        client_(host_, client_conf(args.options, log_),
                InternalClient::Settings{
                    "Swift Container Sync", args.options.integer("request_tries"), true,
                    args.options.find("log_name").value_or("container-sync") + "-ic"}) {
    report_.since = host_.clock().now();
  }

  void run_once(std::stop_token stop) override {
    log_.info("Begin container sync \"once\" mode");
    const Clock::Steady begin = host_.clock().steady();
    pass(stop);
    report();
    const std::chrono::duration<double> taken = host_.clock().steady() - begin;
    log_.info("Container sync \"once\" mode completed: " + with_fraction(taken.count()) + "s");
  }

  void run_forever(std::stop_token stop) override {
    repeat_passes(host_, interval_, stop, [&] { pass(stop); });
  }

 private:
  BrokerServices services() {
    return {host_.disk(), host_.clock(), host_.entropy(),
            log_,         connections_,  host_.swift_conf().constraints};
  }

  void pass(const std::stop_token& stop) {
    const SyncRealms realms(host_.swift_conf().directory);
    const auto partitions = database_partitions(host_, log_, root_, devices_, "sync_containers");
    PassProgress progress(host_, nullptr, "container_sync", "partitions", partitions.size());
    for (const auto& partition : partitions) {
      visit_databases(host_.disk(), partition, [&](DatabasePlace place) {
        place.directory = "containers";  // where the link leads
        try {
          sync_container(place, realms, stop);
        } catch (const std::exception& error) {
          fail("ERROR Syncing " + place.file() + ": " + error.what());
        }
        if (host_.clock().now() - report_.since >= 3600) report();
        return !stop.stop_requested();
      });
      if (stop.stop_requested()) return;
      progress.add();
    }
  }

  void fail(const std::string& why) {
    log_.error(why);
    ++report_.failures;
    host_.metrics().increment("failures");
  }
  void skip() {
    ++report_.skips;
    host_.metrics().increment("skips");
  }

  /// Which of how many copies of a container this machine has; nothing when none of its primaries.
  struct Turn {
    std::size_t own = 0;
    std::size_t all = 1;
  };
  [[nodiscard]] std::optional<Turn> turn_of(const ContainerStat& stat,
                                            const DatabasePlace& place) const {
    const auto ring = host_.rings().container();
    const auto nodes = ring->primaries(
        ring->partition_of(host_.swift_conf().hash_path(stat.account, stat.container)));
    std::optional<std::size_t> own;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const RingDevice& device = *nodes[i].device;
      if (device.port != port_ ||
          std::find(addresses_.begin(), addresses_.end(), device.ip) == addresses_.end())
        continue;
      // A machine may have two copies: each does its own share.
      if (place.device.ends_with("/" + device.device)) return Turn{i, nodes.size()};
      if (!own) own = i;
    }
    return own ? std::optional(Turn{*own, nodes.size()}) : std::nullopt;
  }

  void sync_container(const DatabasePlace& place, const SyncRealms& realms,
                      const std::stop_token& stop) {
    ContainerBroker broker(services(), place, "", "");
    const auto stat = broker.info();
    if (!stat) {
      drop_sync_links(host_.disk(), place);
      throw std::runtime_error("the database is not there");
    }
    const auto turn = turn_of(*stat, place);
    if (!turn) return;
    const DatabaseMetadata all = broker.metadata();
    if (!value_of(all, "X-Container-Sysmeta-Versions-Container").empty()) {
      log_.warning("Skipping container " + stat->account + "/" + stat->container +
                   " with object versioning configured");
      return skip();
    }
    if (stat->deleted()) return;
    const std::string to = value_of(all, "X-Container-Sync-To");
    const std::string key = value_of(all, "X-Container-Sync-Key");
    if (to.empty() || key.empty()) return skip();
    SyncTarget target = find_sync_target(to, allowed_hosts_, realms);
    if (!target.error.empty()) return fail("ERROR " + broker.file() + ": " + target.error);
    const RemoteContainer remote(host_, std::move(target), key, proxies_, timeout_);
    RowSync rows(host_, log_, client_, remote, *stat, report_, stop);
    send(broker, *stat, *turn, rows, stop);
  }

  // Rows up to the first point were tried once, each by the copy whose turn it was; those up to the
  // second are known to be there. First all between the points, whoever tried them; then the own
  // share of what is new.
  void send(ContainerBroker& broker, const ContainerStat& stat, const Turn& turn, RowSync& rows,
            const std::stop_token& stop) {
    const double begin = host_.clock().now();
    const double end = begin + container_time_;
    std::int64_t tried = stat.sync_point1;
    std::int64_t known = stat.sync_point2;
    const auto may_go_on = [&] { return !stop.stop_requested() && host_.clock().now() < end; };
    const auto row_behind = [&](std::int64_t point) -> std::optional<Json> {
      auto found = broker.rows_since(point, 1);
      return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
    };
    const auto number_of_row = [](const Json& row) { return *row.find("ROWID")->integer(); };
    bool whole = true;
    for (std::int64_t at = known; at < tried && may_go_on();) {
      const auto row = row_behind(at);
      if (!row || number_of_row(*row) > tried) break;
      if (!rows.sync(*row)) whole = false;
      at = number_of_row(*row);
      if (whole) broker.set_sync_points(tried, known = at);
    }
    while (may_go_on()) {
      const auto row = row_behind(tried);
      if (!row) break;
      const std::string hash =
          host_.swift_conf().hash_path(stat.account, stat.container, *row->find("name")->text());
      std::uint32_t share = 0;
      std::from_chars(hash.data(), hash.data() + 8, share, 16);
      if (share % turn.all == turn.own) rows.sync(*row);
      tried = number_of_row(*row);
      broker.set_sync_points(tried, known);
    }
    ++report_.syncs;
    host_.metrics().increment("syncs");
    const ContainerSyncStats& done = rows.stats();
    log_.info("Container sync report: " + stat.account + "/" + stat.container +
              ", time window start: " + with_fraction(begin) + ", time window end: " +
              with_fraction(host_.clock().now()) + ", puts: " + std::to_string(done.puts) +
              ", posts: 0, deletes: " + std::to_string(done.deletes) +
              ", bytes: " + std::to_string(done.bytes) + ", sync_point1: " + std::to_string(tried) +
              ", sync_point2: " + std::to_string(known) +
              ", total_rows: " + std::to_string(broker.max_row()));
  }

  void report() {
    log_.info("Since " + moment_text(report_.since) + ": " + std::to_string(report_.syncs) +
              " synced [" + std::to_string(report_.deletes) + " deletes, " +
              std::to_string(report_.puts) + " puts], " + std::to_string(report_.skips) +
              " skipped, " + std::to_string(report_.failures) + " failed");
    report_ = SyncReport{host_.clock().now()};
  }

  Host& host_;
  Logger& log_;
  std::string root_;
  Devices devices_;
  std::vector<std::string> addresses_;
  int port_;
  std::chrono::milliseconds interval_;
  double container_time_;  ///< seconds
  std::chrono::milliseconds timeout_;
  std::vector<std::string> allowed_hosts_;
  std::vector<std::string> proxies_;
  DatabasePool connections_{DatabasePool::kOfDaemon};
  InternalClient client_;
  SyncReport report_;
};

}  // namespace

APUS_EXPORT_DAEMON("container-sync", "1.0", ContainerSync, kOptions)

}  // namespace apus
