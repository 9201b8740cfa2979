// recon: GET /recon/WHAT[/KIND] on account, container and object servers, for swift-recon.
#include <apus/plugin.h>

#include <array>
#include <fstream>
#include <map>

#include "middleware/recon/devices.h"
#include "middleware/recon/system.h"

namespace apus {
namespace recon {
namespace {

constexpr std::array kOptions = {
    OptionSpec{"recon_cache_path", OptionType::kText, "/var/cache/swift",
               "folder of the files in which daemons leave their numbers"},
    OptionSpec{"devices", OptionType::kText, "/srv/node", "folder of the devices"},
};
constexpr std::string_view kSwiftVersion = "2.30.1";
constexpr std::streamsize kLargestCache = 16 << 20;

// Numbers that daemons left in NAME.recon.
struct Kept {
  std::string file;
  std::vector<std::string> keys;
  bool may_be_missing = false;
};

const std::map<std::string, Kept, std::less<>>& kept() {
  static const std::map<std::string, Kept, std::less<>> all = {
      {"async", {"object", {"async_pending", "async_pending_last"}}},
      {"driveaudit", {"drive", {"drive_audit_errors"}}},
      {"sharding", {"container", {"sharding_stats", "sharding_time", "sharding_last"}}},
      {"relinker", {"relinker", {"devices", "workers"}, true}},
      {"replication/account",
       {"account", {"replication_time", "replication_stats", "replication_last"}}},
      {"replication/container",
       {"container", {"replication_time", "replication_stats", "replication_last"}}},
      {"replication/object",
       {"object",
        {"replication_time", "replication_stats", "replication_last", "object_replication_time",
         "object_replication_last"}}},
      {"reconstruction/object",
       {"object", {"object_reconstruction_last", "object_reconstruction_time"}}},
      {"updater/container", {"container", {"container_updater_sweep"}}},
      {"updater/object", {"object", {"object_updater_sweep"}}},
      {"expirer/object", {"object", {"object_expiration_pass", "expired_last_pass"}}},
      {"auditor/account",
       {"account",
        {"account_audits_passed", "account_auditor_pass_completed", "account_audits_since",
         "account_audits_failed"}}},
      {"auditor/container",
       {"container",
        {"container_audits_passed", "container_auditor_pass_completed", "container_audits_since",
         "container_audits_failed"}}},
      {"auditor/object", {"object", {"object_auditor_stats_ALL", "object_auditor_stats_ZBF"}}},
  };
  return all;
}

// Up to three pieces of "/recon/WHAT/KIND".
struct Asked {
  std::string what;
  std::string kind;
};
Asked parse(std::string_view path) {
  path.remove_prefix(std::string_view("/recon/").size());
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return {std::string(path), {}};
  return {std::string(path.substr(0, slash)), std::string(path.substr(slash + 1))};
}

class ReconFilter final : public Filter {
 public:
  ReconFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        host_(args.host),
        log_(args.host.logger(args.options)),
        cache_(args.options.text("recon_cache_path")),
        devices_(args.options.text("devices")),
        swift_dir_(args.host.swift_conf().directory) {}

  Response operator()(Request& request) const override {
    if (!request.path.starts_with("/recon/")) return next()(request);
    bool known = true;
    const auto content = answer(parse(request.path), known);
    if (!known) return Response(404, "Invalid path: " + quote(request.path));
    if (!content) {
      Response out(500, "Internal server error.");
      out.reason = "Server Error";
      return out;
    }
    return Response(200, content->dump(), "application/json");
  }

 private:
  std::optional<Json> answer(const Asked& asked, bool& known) const {
    const std::string& what = asked.what;
    if (what == "load") return load();
    if (what == "mem") return memory();
    if (what == "mounted") return mounts();
    if (what == "sockstat") return sockets();
    if (what == "devices") return devices(devices_);
    if (what == "unmounted") return unmounted(devices_);
    if (what == "diskusage") return disk_usage(devices_);
    if (what == "quarantined") return quarantined(devices_);
    if (what == "ringmd5") return ring_sums();
    if (what == "swiftconfmd5") return swift_conf_sum();
    if (what == "time") return Json(host_.clock().now());
    if (what == "version") {
      Json out;
      out.set("version", std::string(kSwiftVersion));
      return out;
    }
    // A KIND behind what has none is not looked at; plain "replication" is that of objects.
    auto at = kept().find(what);
    if (at == kept().end())
      at = kept().find(what + "/" +
                       (what == "replication" && asked.kind.empty() ? "object" : asked.kind));
    known = at != kept().end();
    return known ? std::optional(from_cache(at->second)) : std::nullopt;
  }

  Json from_cache(const Kept& kept) const {
    const std::string path = cache_ + "/" + kept.file + ".recon";
    std::ifstream in(path, std::ios::binary);
    std::optional<Json> values;
    if (in) {
      std::string text;
      for (std::array<char, 65536> piece;
           (in.read(piece.data(), piece.size()) || in.gcount() > 0) &&
           text.size() < static_cast<std::size_t>(kLargestCache);) {
        text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
      }
      values = Json::parse(text);
      if (!values || values->object() == nullptr)
        log_.error("Error parsing recon cache file " + path);
    } else if (!kept.may_be_missing) {
      log_.error("Error reading recon cache file " + path);
    }
    Json out;
    for (const std::string& key : kept.keys) {
      const Json* value = values ? values->find(key) : nullptr;
      out.set(key, value != nullptr ? *value : Json());
    }
    return out;
  }

  Json ring_sums() const {
    std::vector<std::string> rings = {"account", "container"};
    for (const StoragePolicy& policy : host_.swift_conf().policies)
      rings.push_back(policy.directory("object"));
    Json out{Json::Object{}};
    for (const std::string& ring : rings) {
      const std::string path = swift_dir_ + "/" + ring + ".ring.gz";
      if (const auto sum = file_md5(path)) out.set(path, *sum);
    }
    return out;
  }

  Json swift_conf_sum() const {
    const std::string path = swift_dir_ + "/swift.conf";
    const auto sum = file_md5(path);
    Json out;
    out.set(path, sum ? Json(*sum) : Json());
    return out;
  }

  Host& host_;
  Logger& log_;
  std::string cache_;
  std::string devices_;
  std::string swift_dir_;
};

}  // namespace

APUS_EXPORT_FILTER("recon", "1.0", ReconFilter, kOptions)

}  // namespace recon
}  // namespace apus
