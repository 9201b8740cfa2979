#include "servers/apus/operators/relink_device.h"

#include <apus/text.h>
#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "framework/store/object/partition.h"

namespace apus {
namespace {

constexpr std::chrono::seconds kLockPatience{15};
// A partition that is done twice costs little, a state of many partitions that is written for each
// of them costs a lot.
constexpr std::chrono::seconds kBetweenWrites{1};

bool is_hash(const std::string& name) {
  return name.size() == 32 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Fd lock_of(Disk& disk, const std::string& path) {
  Fd lock(disk, disk.open(path, O_WRONLY | O_CREAT, 0644));
  if (!lock) throw std::system_error(errno, std::generic_category(), path);
  while (disk.flock(lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), path);
  }
  return lock;
}

}  // namespace

RelinkDevice::RelinkDevice(const RelinkPlan& plan, const StoragePolicy& policy, PartPowers powers,
                           std::string folder, std::string name)
    : plan_(plan),
      disk_(plan.host.disk()),
      policy_(policy),
      powers_(powers),
      folder_(std::move(folder)),
      name_(std::move(name)),
      directory_(policy.directory("objects")),
      lock_(lock_of(disk_, folder_ + "/.relink." + directory_ + ".lock")),
      state_(disk_, folder_, directory_, powers),
      report_(plan.report.of(name_, policy.index)) {}

void RelinkDevice::failed(const std::string& what, int error) {
  plan_.log.warning(what + ": " + std::strerror(error));
  ++report_.counts.errors;
}

void RelinkDevice::run() {
  report_ = {};
  report_.begun = true;
  report_.powers = powers_;
  report_.start_time = plan_.host.clock().now();
  const std::string datadir = folder_ + "/" + directory_;
  std::vector<std::string> names;
  if (!disk_.list(datadir, names) && errno != ENOENT) {
    plan_.log.warning("Skipping " + datadir + " because " + std::strerror(errno));
    ++report_.unlistable;
    return;
  }
  const std::vector<std::string> parts = state_.begin(names);
  report_.parts_before = state_.parts_done();
  for (const std::string& name : parts) {
    const auto number = static_cast<std::uint64_t>(parse_digits(name).value_or(0));
    if (plan_.partitions.empty() || plan_.partitions.contains(number)) partition(name);
  }
  if (saved_) save(true);
  report_.total_time = plan_.host.clock().now() - report_.start_time;
  tell(true);
}

void RelinkDevice::partition(const std::string& name) {
  const PartitionPlace place{folder_, directory_, name};
  const std::int64_t errors_before = report_.errors();
  linked_into_.clear();
  std::vector<std::string> suffixes;
  if (!disk_.list(place.partition_folder(), suffixes) && errno != ENOENT) {
    if (errno != ENOTDIR) failed("Cannot list " + place.partition_folder(), errno);
    return;
  }
  for (const std::string& one : suffixes) suffix(place, one);
  hash_linked(place);
  if (plan_.clean_up && is_empty(place)) drop_if_empty(place);
  if (report_.errors() == errors_before) {
    state_.done(name);
    save(false);
  }
  plan_.log.info("Step: " + std::string(plan_.clean_up ? "cleanup" : "relink") +
                 " Device: " + name_ + " Policy: " + policy_.name + " Partitions: " +
                 std::to_string(state_.parts_done()) + "/" + std::to_string(state_.parts()));
  tell(false);
}

void RelinkDevice::suffix(const PartitionPlace& place, const std::string& name) {
  if (!is_suffix(name)) return;
  const std::string folder = place.partition_folder() + "/" + name;
  std::vector<std::string> hashes;
  if (!disk_.list(folder, hashes)) {
    if (errno != ENOTDIR && errno != ENOENT) failed("Cannot list " + folder, errno);
    return;
  }
  for (const std::string& hash : hashes) {
    if (!is_hash(hash)) continue;
    const ObjectPlace from{place, hash, ""};
    ObjectPlace to = from;
    const std::uint64_t number = partition_of_hash(hash, powers_.to);
    to.partition = std::to_string(number);
    if (to.partition == from.partition || from.suffix() != name || !is_folder(disk_, from.folder()))
      continue;
    plan_.pace.wait({});
    if (relink_object(plan_.store, plan_.log, from, to, plan_.clean_up, report_.counts))
      linked_into_.insert(number);
  }
}

// While objects are being relinked their old partitions are left alone: these are hashed when they
// are cleaned up, and the lower half with them. Nobody cleans up the upper half.
void RelinkDevice::hash_linked(PartitionPlace place) {
  for (const std::uint64_t number : linked_into_) {
    if (!plan_.clean_up && number >> static_cast<unsigned>(powers_.from) == 0) continue;
    place.partition = std::to_string(number);
    is_empty(place);
  }
}

// Hashes what is stale on the way.
bool RelinkDevice::is_empty(const PartitionPlace& place) {
  try {
    return plan_.store.suffix_hashes(place, {}, false).suffixes.empty();
  } catch (const std::system_error& error) {
    plan_.log.warning("Cannot hash " + place.partition_folder() + ": " + error.what());
    return false;
  }
}

// Monitors see by it how far the increase is. What lands here meanwhile stays.
void RelinkDevice::drop_if_empty(const PartitionPlace& place) {
  const std::string folder = place.partition_folder();
  struct stat info {};
  if (disk_.stat(folder, info) != 0) return;
  {
    const Fd replication = lock_folder(disk_, folder, kLockPatience, "replication");
    if (!replication) return;
    const Fd writers = lock_folder(disk_, folder, kLockPatience);
    if (!writers) return;
    for (const char* file : {"hashes.pkl", "hashes.invalid", ".lock", ".lock-replication"}) {
      if (disk_.unlink(folder + "/" + file) != 0 && errno != ENOENT) return;
    }
  }
  disk_.rmdir(folder);
}

void RelinkDevice::save(bool now) {
  const Clock::Steady at = plan_.host.clock().steady();
  if (!now && saved_ && at - *saved_ < kBetweenWrites) return;
  saved_ = at;
  if (const int error = state_.write()) failed("Cannot write the state of " + folder_, error);
}

void RelinkDevice::tell(bool last) {
  report_.parts_done = state_.parts_done();
  report_.total_parts = state_.parts();
  report_.timestamp = plan_.host.clock().now();
  plan_.report.dump(last);
}

}  // namespace apus
