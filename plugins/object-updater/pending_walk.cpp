#include "plugins/object-updater/pending_walk.h"

#include <apus/disk.h>
#include <apus/text.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "framework/store/object/partition.h"
#include "framework/store/object/small_file.h"

namespace apus {
namespace {

constexpr std::string_view kFolder = "async_pending";
constexpr std::size_t kLargest = 1U << 20U;

bool is_file(Disk& disk, const std::string& path) {
  struct stat info {};
  return disk.stat(path, info) == 0 && S_ISREG(info.st_mode);
}

}  // namespace

std::size_t pending_folders(Disk& disk, const std::string& device) {
  std::vector<std::string> names;
  std::vector<std::string> folders;
  disk.list(device, names);
  for (const std::string& name : names) {
    if (name.starts_with(kFolder)) disk.list(device + "/" + name, folders);
  }
  return folders.size();
}

PendingWalk::PendingWalk(Host& host, Logger& log, SweepStats& stats, PassProgress& progress,
                         std::string device)
    : host_(host), log_(log), stats_(stats), progress_(progress), device_(std::move(device)) {
  find_policies();
}

bool PendingWalk::list(const std::string& folder, std::vector<std::string>& names) {
  if (host_.disk().list(folder, names)) return true;
  stats_.add(SweepStats::kErrors);
  log_.error("ERROR: Unable to access " + folder + ": " + std::strerror(errno));
  return false;
}

void PendingWalk::find_policies() {
  std::vector<std::string> names;
  list(device_, names);
  for (const std::string& name : names) {
    const std::string path = device_ + "/" + name;
    if (!name.starts_with(kFolder) || !is_folder(host_.disk(), path)) continue;
    const auto& policies = host_.swift_conf().policies;
    const auto found = std::find_if(
        policies.begin(), policies.end(),
        [&](const StoragePolicy& policy) { return policy.directory(kFolder) == name; });
    if (found == policies.end()) {
      log_.warning("Directory '" + name + "' does not map to a valid policy");
      continue;
    }
    policies_.push_back({path, found->index});
  }
}

std::optional<WaitingUpdate> PendingWalk::next() {
  while (true) {
    while (names_.empty()) {
      if (!next_prefix()) return std::nullopt;
    }
    const std::string name = std::move(names_.back());
    names_.pop_back();
    if (auto found = take(name)) return found;
  }
}

bool PendingWalk::next_prefix() {
  while (prefixes_.empty()) {
    if (policies_.empty()) return false;
    policy_ = policies_.back().policy;
    prefix_ = policies_.back().path;
    policies_.pop_back();
    std::vector<std::string> names;
    list(prefix_, names);
    for (std::size_t i = names.size(); i > 1; --i)
      std::swap(names[i - 1], names[host_.entropy().below(i)]);
    for (const std::string& name : names) prefixes_.push_back(prefix_ + "/" + name);
  }
  prefix_ = std::move(prefixes_.back());
  prefixes_.pop_back();
  last_hash_.clear();
  progress_.add();
  if (is_folder(host_.disk(), prefix_)) list(prefix_, names_);
  if (names_.empty()) host_.disk().rmdir(prefix_);
  std::sort(names_.begin(), names_.end());
  return true;
}

std::optional<WaitingUpdate> PendingWalk::take(const std::string& name) {
  Disk& disk = host_.disk();
  const std::string path = prefix_ + "/" + name;
  if (!is_file(disk, path)) return std::nullopt;
  const std::size_t dash = name.find('-');
  if (dash == std::string::npos || name.find('-', dash + 1) != std::string::npos) {
    stats_.add(SweepStats::kErrors);
    log_.error("ERROR async pending file with unexpected name " + path);
    return std::nullopt;
  }
  const std::string hash = name.substr(0, dash);
  if (hash == last_hash_) {
    // Names are read from the newest on, and a newer update has all that this one says.
    stats_.add(SweepStats::kUnlinks);
    disk.unlink(path);
    disk.rmdir(prefix_);
    return std::nullopt;
  }
  last_hash_ = hash;
  const auto text = read_small_file(disk, path, kLargest);
  if (!text && errno == ENOENT) return std::nullopt;
  const std::string why = text ? "it is no pickle of an update" : std::strerror(errno);
  auto update = text ? AsyncPending::decode(*text) : std::nullopt;
  if (!update || (update->operation != "PUT" && update->operation != "DELETE")) {
    quarantine(name, why);
    return std::nullopt;
  }
  return WaitingUpdate{path, policy_, *std::move(update)};
}

void PendingWalk::quarantine(const std::string& name, const std::string& why) {
  Disk& disk = host_.disk();
  const std::string path = prefix_ + "/" + name;
  const std::string folder = device_ + "/quarantined/objects";
  log_.error("ERROR Pickle problem, quarantining " + path + ": " + why);
  stats_.add(SweepStats::kQuarantines);
  const int error = make_folders(disk, folder, false);
  if (error != 0 || disk.rename(path, folder + "/" + name) != 0)
    log_.error("ERROR cannot quarantine " + path + ": " +
               std::strerror(error != 0 ? error : errno));
  disk.rmdir(prefix_);
}

}  // namespace apus
