// container_sync: lets requests of other clusters' sync daemons in, by the keys of
// container-sync-realms.conf and of the container.
#include <apus/account_info.h>
#include <apus/constraints.h>
#include <apus/digest.h>
#include <apus/ini.h>
#include <apus/json.h>
#include <apus/plugin.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <mutex>
#include <stdexcept>

namespace apus {
namespace {

constexpr std::array kOptions = {
    OptionSpec{"allow_full_urls", OptionType::kBool, "true",
               "X-Container-Sync-To may be a URL and not only //realm/cluster/account/container"},
    OptionSpec{"current", OptionType::kText, nullptr,
               "//REALM/CLUSTER that this is, marked in /info"},
};
constexpr double kLookInterval = 300;

std::string upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

struct Realm {
  std::string key;
  std::string key2;
  std::vector<std::string> clusters;
};
using Realms = std::map<std::string, Realm>;

// The realms file, looked at again every mtime_check_interval seconds. Thread-safe.
class RealmsFile {
 public:
  RealmsFile(std::string path, Host& host, Logger& log)
      : path_(std::move(path)), host_(host), log_(log) {}

  std::shared_ptr<const Realms> realms() {
    const std::lock_guard lock(mutex_);
    const double now = host_.clock().now();
    if (now < next_look_) return realms_;
    next_look_ = now + interval_;
    std::error_code error;
    const auto changed = std::filesystem::last_write_time(path_, error);
    if (error || changed == changed_) return realms_;
    changed_ = changed;
    try {
      const auto sections = read_ini(path_);
      if (sections) take(*sections);
    } catch (const std::exception& why) {
      log_.error("Could not load '" + path_ + "': " + why.what());
    }
    next_look_ = now + interval_;
    return realms_;
  }

 private:
  void take(const IniSections& sections) {
    Realms out;
    interval_ = kLookInterval;
    for (const auto& [name, options] : sections) {
      Realm& realm = out[upper(name)];
      for (const auto& [option, value] : options) {
        if (option == "key") realm.key = value;
        if (option == "key2") realm.key2 = value;
        if (option.starts_with("cluster_")) realm.clusters.push_back(upper(option.substr(8)));
        if (option == "mtime_check_interval") take_interval(value);
      }
    }
    realms_ = std::make_shared<const Realms>(std::move(out));
  }

  void take_interval(const std::string& text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size() && value >= 0) {
      interval_ = value;
    } else {
      log_.error("Error in '" + path_ + "' with mtime_check_interval: '" + text + "'");
    }
  }

  std::string path_;
  Host& host_;
  Logger& log_;
  std::mutex mutex_;
  double next_look_ = 0;
  double interval_ = kLookInterval;
  std::filesystem::file_time_type changed_;
  std::shared_ptr<const Realms> realms_ = std::make_shared<const Realms>();
};

class ContainerSyncFilter final : public Filter {
 public:
  ContainerSyncFilter(const PluginArgs& args, std::unique_ptr<const App> next)
      : Filter(std::move(next)),
        host_(args.host),
        log_(args.host.logger(args.options)),
        allow_full_urls_(args.options.flag("allow_full_urls")),
        file_(args.host.swift_conf().directory + "/container-sync-realms.conf", host_, log_) {
    const std::string current = args.options.text("current");
    const auto path =
        split_api_path(std::string_view(current).substr(current.starts_with("//") ? 1 : 0), 2);
    if (path && path->container.empty()) {
      realm_ = upper(std::string(path->version));
      cluster_ = upper(std::string(path->account));
    } else if (!current.empty()) {
      log_.error("Invalid current //REALM/CLUSTER (" + current + ")");
    }
    tell_realms();
  }

  Response operator()(Request& request) const override {
    if (request.path == "/info") tell_realms();
    const auto path = split_api_path(request.path, 3);
    if (!path || !is_valid_api_version(path->version, host_.swift_conf().constraints))
      return next()(request);
    const bool to_container = path->object.empty();
    const std::string* sync_to = request.headers.find("X-Container-Sync-To");
    const std::string* auth = request.headers.find("X-Container-Sync-Auth");
    if ((sync_to == nullptr || sync_to->empty()) && (auth == nullptr || auth->empty()))
      return next()(request);
    const auto info = get_container_info(request, next(), std::string(path->account),
                                         std::string(path->container), "CS");
    if (sync_to != nullptr && !sync_to->empty()) {
      if (auto refusal = check_target(request, *sync_to, to_container, *info))
        return std::move(*refusal);
    }
    if (auth != nullptr && !auth->empty()) {
      const std::string verdict = judge(request, *auth, *info);
      request.context.log_info.push_back("cs:" + verdict);
      if (verdict != "valid") return unauthorized(std::string(path->account));
      request.context.authorize_override = true;
      // What comes is in its stored form, and what it points to may come later.
      request.context.slo_override = true;
      request.context.symlink_override = true;
    }
    return next()(request);
  }

 private:
  std::optional<Response> check_target(const Request& request, const std::string& sync_to,
                                       bool to_container, const ContainerInfo& info) const {
    const bool writes = request.method == "PUT" || request.method == "POST";
    if (writes && to_container && !field_of(info.sysmeta, "versions-container").empty()) {
      return Response(
          400, "Cannot configure container sync on a container with object versioning configured.",
          "text/html; charset=UTF-8");
    }
    if (allow_full_urls_ || sync_to.starts_with("//")) return std::nullopt;
    return Response(400,
                    "Full URLs are not allowed for X-Container-Sync-To values. Only realm values "
                    "of the format //realm/cluster/account/container are allowed.\n",
                    "text/html; charset=UTF-8");
  }

  // "REALM NONCE SIGNATURE". "valid", or what the access log shall say.
  std::string judge(Request& request, const std::string& auth, const ContainerInfo& info) const {
    const std::vector<std::string> words = split_list(auth, ' ');
    if (words.size() != 3) return "not-3-args";
    const auto realms = file_.realms();
    const auto realm = realms->find(upper(words[0]));
    if (realm == realms->end() || realm->second.key.empty()) return "no-local-realm-key";
    if (info.sync_key.empty()) return "no-local-user-key";
    // gatekeeper has put the sender's moment aside.
    const std::string stamp(request.internal.get("X-Backend-Inbound-X-Timestamp",
                                                 request.headers.get("X-Timestamp", "0")));
    bool valid = false;
    for (const std::string& key : {realm->second.key, realm->second.key2}) {
      if (key.empty()) continue;
      const std::string text = request.method + "\n" + quote(request.path) + "\n" + stamp + "\n" +
                               words[1] + "\n" + info.sync_key;
      if (constant_time_equal(to_hex(hmac(DigestKind::kSha1, key, text)), words[2])) valid = true;
    }
    if (!valid) return "invalid-sig";
    request.internal.erase("X-Backend-Inbound-X-Timestamp");
    if (const auto moment = Timestamp::parse(stamp); moment && stamp != "0")
      request.context.timestamp = moment;
    return "valid";
  }

  static Response unauthorized(const std::string& account) {
    Response out(401,
                 "X-Container-Sync-Auth header not valid; contact cluster operator for support.");
    out.headers.set("Www-Authenticate", "SwiftContainerSync realm=\"" + quote(account) + "\"");
    return out;
  }

  void tell_realms() const {
    Json realms{Json::Object{}};
    const auto known = file_.realms();
    for (const auto& [name, realm] : *known) {
      if (realm.clusters.empty()) continue;
      Json clusters{Json::Object{}};
      for (const std::string& cluster : realm.clusters) {
        Json marks{Json::Object{}};
        if (name == realm_ && cluster == cluster_) marks.set("current", true);
        clusters.set(cluster, std::move(marks));
      }
      Json one;
      one.set("clusters", std::move(clusters));
      realms.set(name, std::move(one));
    }
    Json info;
    info.set("realms", std::move(realms));
    host_.info().set("container_sync", info.dump());
  }

  Host& host_;
  Logger& log_;
  bool allow_full_urls_;
  mutable RealmsFile file_;
  std::string realm_;
  std::string cluster_;
};

}  // namespace

APUS_EXPORT_FILTER("container_sync", "1.0", ContainerSyncFilter, kOptions)

}  // namespace apus
