#include <apus/local_cache.h>
#include <apus/text.h>

#include <algorithm>
#include <array>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace apus {
namespace {

constexpr std::size_t kShards = 16;
constexpr std::size_t kFewest = 64;

class LocalCache final : public Cache {
 public:
  LocalCache(Clock& clock, std::size_t entries)
      : clock_(clock), per_shard_(std::max<std::size_t>(16, entries / kShards)) {}

  std::optional<std::string> get(std::string_view key) override {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    Entry* entry = live(shard, key);
    return entry != nullptr ? std::optional(entry->value) : std::nullopt;
  }
  void set(std::string_view key, std::string_view json, std::chrono::seconds ttl) override {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    make_room(shard);
    shard.entries.insert_or_assign(std::string(key), Entry{std::string(json), end_of(ttl)});
  }
  std::optional<std::int64_t> increment(std::string_view key, std::int64_t delta,
                                        std::chrono::seconds ttl) override {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    Entry* entry = live(shard, key);
    const std::int64_t now = entry != nullptr ? parse_int(entry->value).value_or(0) : 0;
    const std::int64_t next = std::max<std::int64_t>(0, now + delta);
    if (entry != nullptr) {
      entry->value = std::to_string(next);
    } else {
      make_room(shard);
      shard.entries.insert_or_assign(std::string(key), Entry{std::to_string(next), end_of(ttl)});
    }
    return next;
  }
  void remove(std::string_view key) override {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    if (const auto at = shard.entries.find(key); at != shard.entries.end()) shard.entries.erase(at);
  }

 private:
  struct Entry {
    std::string value;
    Clock::Steady end;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, Entry, Hash, std::equal_to<>> entries;
    std::size_t looked_through_at = kFewest;  ///< so many entries, and what has ended goes
  };

  Shard& shard_of(std::string_view key) { return shards_[Hash()(key) % kShards]; }
  Clock::Steady end_of(std::chrono::seconds ttl) const {
    return ttl.count() == 0 ? Clock::Steady::max() : clock_.steady() + ttl;
  }
  Entry* live(Shard& shard, std::string_view key) const {
    const auto at = shard.entries.find(key);
    if (at == shard.entries.end()) return nullptr;
    if (at->second.end > clock_.steady()) return &at->second;
    shard.entries.erase(at);
    return nullptr;
  }
  // Drops what has ended whenever the shard has doubled since; in a full one, where that was too
  // little, also an eighth of what ends first.
  void make_room(Shard& shard) const {
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

  Clock& clock_;
  std::size_t per_shard_;
  std::array<Shard, kShards> shards_;
};

}  // namespace

std::unique_ptr<Cache> make_local_cache(Clock& clock, std::size_t entries) {
  return std::make_unique<LocalCache>(clock, entries);
}

}  // namespace apus
