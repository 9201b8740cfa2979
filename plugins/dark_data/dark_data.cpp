// Dark data: objects that no container lists, so that nobody can find or delete them. Seen only
// when every server of the container says so.
#include <apus/audit_watcher.h>
#include <apus/disk.h>
#include <apus/json.h>
#include <apus/ring.h>
#include <apus/source.h>
#include <apus/text.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "framework/backend/direct_call.h"

namespace apus {
namespace {

using enum OptionType;

constexpr std::array kOptions = {
    OptionSpec{"action", kText, "log", "what befalls dark data: log, delete or quarantine"},
    OptionSpec{"grace_age", kInt, "604800",
               "seconds in which an object's row may be still on its way", 0, 1e12},
};

constexpr Deadlines kDeadlines{std::chrono::seconds(5), std::chrono::seconds(15)};
constexpr std::size_t kLargestListing = 1U << 20U;  // of one row

enum class Action : std::uint8_t { kLog, kDelete, kQuarantine };
enum class Found : std::uint8_t { kThere, kDark, kUnknown };

struct ObjectName {
  std::string account;
  std::string container;
  std::string object;
};

// "/a/c/o"; throws for anything else.
ObjectName split(std::string_view name) {
  const std::size_t container = name.find('/', 1);
  const std::size_t object =
      container == std::string_view::npos ? container : name.find('/', container + 1);
  if (!name.starts_with('/') || object == std::string_view::npos)
    throw std::runtime_error("its name is no path of an object");
  return {std::string(name.substr(1, container - 1)),
          std::string(name.substr(container + 1, object - container - 1)),
          std::string(name.substr(object + 1))};
}

class DarkDataWatcher final : public AuditWatcher {
 public:
  explicit DarkDataWatcher(const WatcherArgs& args)
      : host_(args.host),
        log_(args.log),
        grace_age_(static_cast<double>(args.options.integer("grace_age"))) {
    const std::string action = args.options.text("action");
    if (action == "delete") action_ = Action::kDelete;
    if (action == "quarantine") action_ = Action::kQuarantine;
    if (action_ == Action::kLog && action != "log") {
      log_.warning("Dark data action " + python_repr(action) +
                   " unknown, defaults to action = 'log'");
    }
    host_.rings().container();  // throws when there is none
  }

  void start(AuditKind kind) override {
    reads_ = kind == AuditKind::kAll;
    unknown_ = okay_ = dark_ = 0;
  }

  // Both passes see each object: one of them asks.
  AuditVerdict see_object(const AuditedObject& object) override {
    if (!reads_) return AuditVerdict::kKeep;
    const auto when = Timestamp::parse(object.metadata.get("X-Timestamp"));
    if (!when) throw std::runtime_error("its metadata has no X-Timestamp");
    if (when->seconds() + grace_age_ >= host_.clock().now()) {
      ++okay_;
      return AuditVerdict::kKeep;
    }
    const std::string folder = object.data_file.substr(0, object.data_file.rfind('/'));
    // Before anybody is asked: what is stored here meanwhile is another object.
    std::vector<std::string> files;
    if (action_ == Action::kDelete) host_.disk().list(folder, files);
    switch (look_up(split(object.metadata.get("name")))) {
      case Found::kThere:
        ++okay_;
        return AuditVerdict::kKeep;
      case Found::kUnknown:
        ++unknown_;
        return AuditVerdict::kKeep;
      case Found::kDark:
        ++dark_;
        return act(object, folder, files);
    }
    return AuditVerdict::kKeep;
  }

  void end() override {
    if (!reads_) return;
    log_.info("total unknown " + std::to_string(unknown_) + " ok " + std::to_string(okay_) +
              " dark " + std::to_string(dark_));
  }

 private:
  AuditVerdict act(const AuditedObject& object, const std::string& folder,
                   const std::vector<std::string>& files) {
    const std::string name(object.metadata.get("name"));
    switch (action_) {
      case Action::kQuarantine:
        log_.info("quarantining dark data " + name);
        return AuditVerdict::kQuarantine;
      case Action::kDelete:
        log_.info("deleting dark data " + folder);
        remove(folder, files);
        return AuditVerdict::kKeep;
      case Action::kLog:
        log_.info("reporting dark data " + name);
        return AuditVerdict::kKeep;
    }
    return AuditVerdict::kKeep;
  }

  void remove(const std::string& folder, const std::vector<std::string>& files) {
    for (const std::string& name : files) host_.disk().unlink(folder + "/" + name);
    if (host_.disk().rmdir(folder) != 0 && errno != ENOTEMPTY)
      log_.error("cannot remove " + folder + ": " + std::strerror(errno));
  }

  // In another order each time: the load is spread.
  Found look_up(const ObjectName& name) {
    const auto ring = host_.rings().container();
    const std::uint32_t partition =
        ring->partition_of(host_.swift_conf().hash_path(name.account, name.container));
    std::vector<RingNode> nodes = ring->primaries(partition);
    for (std::size_t i = nodes.size(); i > 1; --i)
      std::swap(nodes[i - 1], nodes[host_.entropy().below(i)]);
    bool all_say_so = !nodes.empty();
    for (const RingNode& node : nodes) {
      const Found found = ask(*node.device, partition, name);
      if (found == Found::kThere) return found;
      all_say_so = all_say_so && found == Found::kDark;
    }
    return all_say_so ? Found::kDark : Found::kUnknown;
  }

  Found ask(const RingDevice& device, std::uint32_t partition, const ObjectName& name) {
    Call call =
        direct_call(device, "GET", partition, "/" + name.account + "/" + name.container, {});
    call.request.query.set("format", "json");
    call.request.query.set("limit", "1");
    call.request.query.set("prefix", name.object);
    Outcome outcome = host_.transport().call(std::move(call), kDeadlines);
    if (!outcome.response || !outcome.response->is_success()) return Found::kUnknown;
    // Rows of a sharded container are in its shards: this one knows nothing of them.
    const std::string_view shards =
        outcome.response->internal.get("X-Backend-Sharding-State", "unsharded");
    const bool whole = shards == "unsharded" || shards == "collapsed";
    try {
      const auto rows = Json::parse(read_all(outcome.response->body.get(), kLargestListing));
      const bool none = outcome.response->status == 204;
      if (!none && (!rows || rows->array() == nullptr)) return Found::kUnknown;
      if (!none && !rows->array()->empty()) {
        const Json* first = rows->array()->front().find("name");
        if (first != nullptr && first->text() != nullptr && *first->text() == name.object)
          return Found::kThere;
      }
      return whole ? Found::kDark : Found::kUnknown;
    } catch (const BodyError&) {
      return Found::kUnknown;
    }
  }

  Host& host_;
  Logger& log_;
  Action action_ = Action::kLog;
  double grace_age_;
  bool reads_ = false;
  std::int64_t unknown_ = 0;
  std::int64_t okay_ = 0;
  std::int64_t dark_ = 0;
};

}  // namespace

APUS_EXPORT_WATCHER("dark_data", "1.0", DarkDataWatcher, kOptions)

}  // namespace apus
