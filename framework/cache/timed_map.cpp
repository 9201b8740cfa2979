#include "framework/cache/timed_map.h"

#include <vector>

namespace apus {

TimedMap::TimedMap(const Clock& clock, std::size_t entries)
    : clock_(clock), per_shard_(std::max<std::size_t>(16, entries / kShards)) {}

std::string* TimedMap::Place::value() {
  const auto at = shard_.entries.find(key_);
  if (at == shard_.entries.end()) return nullptr;
  if (at->second.end > map_.clock_.steady()) return &at->second.value;
  shard_.entries.erase(at);
  return nullptr;
}

void TimedMap::Place::put(std::string value, Clock::Steady end) {
  map_.make_room(shard_);
  shard_.entries.insert_or_assign(std::string(key_), Entry{std::move(value), end});
}

void TimedMap::Place::remove() {
  if (const auto at = shard_.entries.find(key_); at != shard_.entries.end())
    shard_.entries.erase(at);
}

std::size_t TimedMap::size() const {
  std::size_t out = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    out += shard.entries.size();
  }
  return out;
}

// Drops what has ended whenever the shard has doubled since; in a full one, where that was too
// little, also an eighth of what ends first.
void TimedMap::make_room(Shard& shard) const {
  if (shard.entries.size() < std::min(shard.looked_through_at, per_shard_)) return;
  const auto now = clock_.steady();
  std::erase_if(shard.entries, [&](const auto& item) { return item.second.end <= now; });
  shard.looked_through_at = std::max(kFewest, 2 * shard.entries.size());
  if (shard.entries.size() < per_shard_ * 7 / 8) return;
  std::vector<Clock::Steady> ends;
  for (const auto& [key, entry] : shard.entries) ends.push_back(entry.end);
  const auto eighth = ends.begin() + static_cast<std::ptrdiff_t>(ends.size() / 8);
  std::nth_element(ends.begin(), eighth, ends.end());
  std::size_t left = ends.size() / 8 + 1;
  std::erase_if(shard.entries, [&](const auto& item) {
    return item.second.end <= *eighth && left > 0 && left-- > 0;
  });
}

}  // namespace apus
