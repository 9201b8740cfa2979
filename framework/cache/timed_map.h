// Texts under keys, each until a moment of its own: what the caches of this process are made of.
#pragma once

#include <apus/host.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace apus {

/// Holds at most about `entries` values; when full, the ones nearest to their end go first.
/// Thread-safe, in shards. `clock` outlives it.
class APUS_API TimedMap {
  struct Shard;

 public:
  TimedMap(const Clock& clock, std::size_t entries);

  /// Where one key's value is or could be, while its shard is locked.
  class APUS_API Place {
   public:
    /// nullptr: there is none, or it has ended.
    [[nodiscard]] std::string* value();
    void put(std::string value, Clock::Steady end);
    void remove();

   private:
    friend class TimedMap;
    Place(TimedMap& map, Shard& shard, std::string_view key)
        : map_(map), shard_(shard), key_(key) {}

    TimedMap& map_;
    Shard& shard_;
    std::string_view key_;
  };

  /// Runs `use` with the key's place, and gives what it gives. `use` must not reach for the map.
  template <typename Use>
  auto at(std::string_view key, Use use) {
    Shard& shard = shards_[Hash()(key) % kShards];
    const std::lock_guard lock(shard.mutex);
    Place place(*this, shard, key);
    return use(place);
  }

  /// Values held, those that have ended and were not yet dropped among them.
  [[nodiscard]] std::size_t size() const;

 private:
  static constexpr std::size_t kShards = 16;
  static constexpr std::size_t kFewest = 64;

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
    mutable std::mutex mutex;
    std::unordered_map<std::string, Entry, Hash, std::equal_to<>> entries;
    std::size_t looked_through_at = kFewest;  ///< so many entries, and what has ended goes
  };

  void make_room(Shard& shard) const;

  const Clock& clock_;
  std::size_t per_shard_;
  std::array<Shard, kShards> shards_;
};

}  // namespace apus
