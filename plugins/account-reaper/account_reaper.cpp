// Takes away the containers and objects of accounts that were deleted.
#include <apus/digest.h>
#include <apus/disk.h>
#include <apus/plugin.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <exception>

#include "framework/backend/database_walk.h"
#include "framework/backend/local_devices.h"
#include "framework/backend/pace.h"
#include "framework/backend/pass_progress.h"
#include "framework/backend/recon_cache.h"
#include "framework/store/db/account_broker.h"
#include "plugins/account-reaper/reaping.h"

namespace apus {
namespace {

using enum OptionType;

constexpr std::array kOptions = {
    OptionSpec{"devices", kText, "/srv/node", "folder of the devices"},
    OptionSpec{"mount_check", kBool, "true", "a device must be a mount point"},
    OptionSpec{"recon_cache_path", kText, "/var/cache/swift", "folder of the recon files"},
    OptionSpec{"bind_ip", kText, "0.0.0.0", "the server's address, as the ring has it"},
    OptionSpec{"bind_port", kInt, "6202", "the server's port, as the ring has it; 0 = any", 0,
               65535},
    OptionSpec{"interval", kNumber, "3600", "seconds between the starts of passes", 0, 1e9},
    OptionSpec{"concurrency", kInt, "25",
               "containers and objects at once: the root of it containers, as many objects of each",
               1, 65536},
    OptionSpec{"node_timeout", kNumber, "10", "seconds a server may take", 0.001, 86400},
    OptionSpec{"conn_timeout", kNumber, "0.5", "seconds to connect to it", 0.001, 86400},
    OptionSpec{"delay_reaping", kNumber, "0", "seconds for which a deleted account is kept", 0,
               1e10},
    OptionSpec{"reap_warn_after", kNumber, "2592000",
               "seconds after which an account that is still there is told", 0, 1e10},
};

std::string fixed(double seconds) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.2fs", seconds);
  return text.data();
}

// int(md5(name)) modulo the number of servers: which of them reaps a container.
std::size_t server_of(const std::string& container, std::size_t servers) {
  std::size_t out = 0;
  for (const char& digit : md5_hex(container)) {
    std::size_t value = 0;
    std::from_chars(&digit, &digit + 1, value, 16);
    out = (out * 16 + value) % servers;
  }
  return out;
}

class AccountReaper final : public Daemon {
 public:
  explicit AccountReaper(const PluginArgs& args)
      : host_(args.host),
        log_(args.host.logger(args.options)),
        root_(args.options.text("devices")),
        devices_(root_, args.options.flag("mount_check")),
        addresses_(own_addresses(args.options.text("bind_ip"))),
        port_(static_cast<int>(args.options.integer("bind_port"))),
        interval_(args.options.seconds("interval")),
        delay_(args.options.number("delay_reaping")),
        warn_after_(args.options.number("reap_warn_after") + delay_),
        recon_(host_, log_, args.options.text("recon_cache_path"), "account"),
        reaping_(host_, log_,
                 {static_cast<std::size_t>(args.options.integer("concurrency")),
                  {args.options.seconds("conn_timeout"), args.options.seconds("node_timeout")}}) {}

  void run_once(std::stop_token stop) override {
    log_.debug("Begin devices pass: " + root_);
    const Clock::Steady begin = host_.clock().steady();
    try {
      const auto partitions = database_partitions(host_, log_, root_, devices_, "accounts");
      PassProgress progress(host_, &recon_, "account_reaper", "partitions", partitions.size());
      for (const auto& partition : partitions) {
        if (stop.stop_requested()) return;
        sweep(partition, stop);
        progress.add();
      }
    } catch (const std::exception& error) {
      log_.error(std::string("Exception in top-level account reaper loop: ") + error.what());
    }
    log_.info("Devices pass completed: " + fixed(since(begin)));
  }

  void run_forever(std::stop_token stop) override {
    repeat_passes(host_, interval_, stop, [&] { run_once(stop); });
  }

 private:
  void sweep(const DatabasePartition& where, const std::stop_token& stop) {
    const auto number = parse_int(where.partition);
    const auto ring = host_.rings().account();
    if (!number || *number < 0 || *number >= static_cast<std::int64_t>(ring->partition_count()))
      return;
    const auto partition = static_cast<std::uint32_t>(*number);
    const auto nodes = ring->primaries(partition);
    const auto mine = std::find_if(nodes.begin(), nodes.end(), [&](const RingNode& node) {
      const RingDevice& device = *node.device;
      return (port_ == 0 || device.port == port_) &&
             where.device == devices_.folder(device.device) &&
             std::find(addresses_.begin(), addresses_.end(), device.ip) != addresses_.end();
    });
    if (mine == nodes.end()) return;
    visit_databases(host_.disk(), where, [&](const DatabasePlace& place) {
      try {
        look_at(place, {"", partition, nodes}, static_cast<std::size_t>(mine - nodes.begin()),
                stop);
      } catch (const std::exception& error) {
        log_.error("Exception with account database " + place.file() + ": " + error.what());
      }
      return !stop.stop_requested();
    });
  }

  void look_at(const DatabasePlace& place, Reaping::Account account, std::size_t index,
               const std::stop_token& stop) {
    AccountBroker broker({host_.disk(), host_.clock(), host_.entropy(), log_, connections_,
                          host_.swift_conf().constraints},
                         place, "");
    const auto stat = broker.info();
    if (!stat || !stat->status_deleted() || stat->container_count == 0) return;
    const auto deleted = Timestamp::parse(stat->delete_timestamp).value_or(Timestamp());
    const double age = host_.clock().now() - deleted.seconds();
    if (age <= delay_) return;
    account.name = stat->account;
    log_.info("Beginning pass on account " + account.name);
    const Clock::Steady begin = host_.clock().steady();
    Reaped reaped(host_.metrics());
    const bool whole = reap(broker, account, index, reaped, stop);
    log_.info((whole ? "Completed pass on account " : "Incomplete pass on account ") +
              account.name + reaped.text() + ", elapsed: " + fixed(since(begin)));
    host_.metrics().timing("timing", since(begin) * 1000);
    if (reaped.has_containers_left() && age >= warn_after_)
      log_.warning("Account " + account.name + " has not been reaped since " + deleted.isoformat());
  }

  // Each of the account's servers has its share of the containers.
  bool reap(AccountBroker& broker, const Reaping::Account& account, std::size_t index,
            Reaped& reaped, const std::stop_token& stop) {
    constexpr std::int64_t kPage = 1000;
    ListingQuery query;
    query.limit = kPage * static_cast<std::int64_t>(account.nodes.size());
    query.allow_reserved = true;
    while (!stop.stop_requested()) {
      std::vector<std::string> mine;
      std::string last;
      broker.list(query, [&](const ListingEntry& entry) {
        last = entry.name;
        if (server_of(entry.name, account.nodes.size()) == index) mine.push_back(entry.name);
      });
      if (last.empty()) return true;
      query.marker = std::move(last);
      reaping_.reap(account, mine, reaped, stop);
    }
    return false;
  }

  [[nodiscard]] double since(Clock::Steady begin) const {
    return std::chrono::duration<double>(host_.clock().steady() - begin).count();
  }

  Host& host_;
  Logger& log_;
  std::string root_;
  Devices devices_;
  std::vector<std::string> addresses_;
  int port_;
  std::chrono::milliseconds interval_;
  double delay_;
  double warn_after_;
  DatabasePool connections_{DatabasePool::kOfDaemon};
  ReconCache recon_;
  Reaping reaping_;
};

}  // namespace

APUS_EXPORT_DAEMON("account-reaper", "1.0", AccountReaper, kOptions)

}  // namespace apus
