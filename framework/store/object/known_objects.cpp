#include "framework/store/object/known_objects.h"

#include <functional>

namespace apus {
namespace {

// Longer than any kernel's tick.
constexpr std::int64_t kSettled = 100'000'000;  // ns
constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * kSecond + time.tv_nsec; }

}  // namespace

const std::shared_ptr<const ObjectFields>& no_object_fields() {
  static const auto kNone = std::make_shared<const ObjectFields>();
  return kNone;
}

FileStamp::FileStamp(const struct stat& info)
    : device(info.st_dev),
      inode(info.st_ino),
      size(static_cast<std::uint64_t>(info.st_size)),
      changed(nanoseconds(info.st_ctim)) {}

KnownObjects::KnownObjects(std::size_t most) : per_shard_((most + kShards - 1) / kShards) {}

bool KnownObjects::is_settled(const FileStamp& stamp, const timespec& now) {
  return stamp.changed < nanoseconds(now) - kSettled;
}

KnownObjects::Shard& KnownObjects::shard_of(std::string_view folder) {
  return shards_[std::hash<std::string_view>()(folder) % kShards];
}

std::shared_ptr<const KnownObject> KnownObjects::find(std::string_view folder) {
  if (!on()) return nullptr;
  Shard& shard = shard_of(folder);
  const std::lock_guard lock(shard.mutex);
  const auto at = shard.by_folder.find(folder);
  if (at == shard.by_folder.end()) return nullptr;
  shard.entries.splice(shard.entries.begin(), shard.entries, at->second);
  return at->second->object;
}

void KnownObjects::keep(const std::string& folder, KnownObject object) {
  if (!on()) return;
  auto shared = std::make_shared<const KnownObject>(std::move(object));
  Shard& shard = shard_of(folder);
  const std::lock_guard lock(shard.mutex);
  if (const auto at = shard.by_folder.find(folder); at != shard.by_folder.end()) {
    at->second->object = std::move(shared);
    return;
  }
  if (shard.entries.size() >= per_shard_) {
    shard.by_folder.erase(shard.entries.back().folder);
    shard.entries.pop_back();
  }
  shard.entries.push_front({folder, std::move(shared)});
  shard.by_folder.emplace(shard.entries.front().folder, shard.entries.begin());
}

void KnownObjects::keep_bytes(std::string_view folder,
                              const std::shared_ptr<const ObjectFields>& fields,
                              std::shared_ptr<const std::string> bytes) {
  if (!on()) return;
  Shard& shard = shard_of(folder);
  const std::lock_guard lock(shard.mutex);
  const auto at = shard.by_folder.find(folder);
  if (at == shard.by_folder.end() || at->second->object->fields != fields) return;
  KnownObject whole = *at->second->object;
  whole.bytes = std::move(bytes);
  at->second->object = std::make_shared<const KnownObject>(std::move(whole));
}

void KnownObjects::forget(std::string_view folder) {
  if (!on()) return;
  Shard& shard = shard_of(folder);
  const std::lock_guard lock(shard.mutex);
  const auto at = shard.by_folder.find(folder);
  if (at == shard.by_folder.end()) return;
  const auto entry = at->second;
  shard.by_folder.erase(at);
  shard.entries.erase(entry);
}

}  // namespace apus
